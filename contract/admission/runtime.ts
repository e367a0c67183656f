import type { Candidate } from '../admission.ts';
import { MODEL_FILE } from '../layout.ts';
import type { OnnxHead } from '../onnx/graph.ts';
import type { Refusal } from '../refusal.ts';
import { domainName, type RuntimeLimits } from '../runtime.ts';
import { formatBytes } from './format.ts';

/** IR version, opsets, domains and size of the file against what the runtime takes. Without a head the manifest says them. */
export function judgeRuntime({ head, manifest }: Candidate, runtime: RuntimeLimits): Refusal[] {
  const here = `the runtime here (${runtime.name} ${runtime.version})`;
  if (head?.ok) {
    return [
      ...judgeSize(head.head, runtime, here),
      ...judgeIr(head.head.irVersion, runtime, here),
      ...judgeOpsets(allOpsets(head.head), runtime, here),
      ...judgeDomains(head.head, runtime, here),
    ];
  }
  if (head || !manifest) return [];
  const { irVersion, opsets } = manifest.onnx;
  return [...judgeIr(irVersion, runtime, here), ...judgeOpsets(new Map(Object.entries(opsets)), runtime, here)];
}

function judgeSize({ bytes }: OnnxHead, { maxModelBytes }: RuntimeLimits, here: string): Refusal[] {
  if (bytes <= maxModelBytes) return [];
  const message = `${MODEL_FILE} has ${formatBytes(bytes)}, ${here} parses up to ${formatBytes(maxModelBytes)}: export it with the weights as external data and publish the folder.`;
  return [{ code: 'onnx-too-large', message, expected: `<= ${maxModelBytes}`, found: String(bytes) }];
}

function judgeIr(irVersion: number, { maxIrVersion }: RuntimeLimits, here: string): Refusal[] {
  if (irVersion <= maxIrVersion) return [];
  const message = `${MODEL_FILE} has IR version ${irVersion}, ${here} takes up to ${maxIrVersion}: export it with onnx.helper.make_model(…, ir_version=${maxIrVersion}) or set model.ir_version = ${maxIrVersion} before saving.`;
  return [{ code: 'ir-version', message, expected: `<= ${maxIrVersion}`, found: String(irVersion) }];
}

/** The opsets of the model and of its functions; of each domain the newest. */
function allOpsets({ opsets, functions }: OnnxHead): Map<string, number> {
  const newest = new Map(opsets);
  for (const [domain, version] of functions.flatMap((entry) => [...entry.opsets])) {
    newest.set(domain, Math.max(version, newest.get(domain) ?? 0));
  }
  return newest;
}

function judgeOpsets(opsets: ReadonlyMap<string, number>, runtime: RuntimeLimits, here: string): Refusal[] {
  return [...opsets].flatMap(([domain, version]): Refusal[] => {
    const newest = runtime.opsets.get(domain);
    if (newest === undefined || version <= newest) return [];
    const name = domainName(domain);
    const message = `${MODEL_FILE} uses opset ${version} of ${name}, ${here} takes up to ${newest}: export it for opset ${newest} or lower (torch.onnx.export: opset_version=${newest}; skl2onnx: target_opset={'${domain}': ${newest}}; onnx.version_converter for a file).`;
    return [{ code: 'opset', message, expected: `${name} <= ${newest}`, found: `${name} ${version}` }];
  });
}

/** A domain that is imported and not used is no trouble; the runtime asks only for operators. */
function judgeDomains({ operators }: OnnxHead, runtime: RuntimeLimits, here: string): Refusal[] {
  const foreign = new Map<string, string[]>();
  for (const { domain, type } of operators) {
    if (!runtime.opsets.has(domain)) foreign.set(domain, [...(foreign.get(domain) ?? []), type]);
  }
  return [...foreign].map(([domain, types]) => {
    const shown = types.slice(0, 5).map((type) => `${domain}:${type}`);
    const more = types.length > 5 ? ` and ${types.length - 5} more` : '';
    return {
      code: 'operator-domain',
      message: `The graph uses ${shown.join(', ')}${more}, and ${here} has no operators of the domain ${domain}: export it with standard operators, or with a model-local function for each.`,
      expected: [...runtime.opsets.keys()].map(domainName).join(', '),
      found: domain,
    };
  });
}
