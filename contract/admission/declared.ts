import type { Manifest, Sample, SampleTensor } from '../manifest.ts';
import { signatureOf } from '../manifest-of.ts';
import type { OnnxHead } from '../onnx/graph.ts';
import { normalDomain } from '../onnx/read-graph.ts';
import type { Refusal } from '../refusal.ts';
import { domainName } from '../runtime.ts';
import { describeTensor, type Signature, type TensorSpec } from '../signature.ts';
import { elementCount } from '../tensor.ts';

const AGAIN = 'publish the version again with `kedge publish`, which derives it from the graph';

function mismatch(what: string, expected: string, found: string): Refusal {
  return { code: 'signature-mismatch', message: `${what}: ${AGAIN}.`, expected, found };
}

/** The signature, IR version and opsets that the manifest declares against those of the graph. */
export function judgeDeclared(manifest: Manifest, head: OnnxHead): Refusal[] {
  const graph = signatureOf(head);
  const { signature, onnx } = manifest;
  return [
    ...compare('input', signature.inputs, graph.inputs),
    ...compare('output', signature.outputs, graph.outputs),
    ...compareOmitted(signature, graph),
    ...compareVersions(onnx, head),
  ];
}

function compare(side: 'input' | 'output', declared: readonly TensorSpec[], graph: readonly TensorSpec[]): Refusal[] {
  const real = new Map(graph.map((spec) => [spec.name, spec]));
  const known = new Set(declared.map(({ name }) => name));
  return [
    ...declared.flatMap((spec) => {
      const own = real.get(spec.name);
      const says = `The manifest declares the ${side} '${spec.name}' as ${describe(spec)}`;
      if (!own) return [mismatch(`${says}, and the graph has no such ${side}`, names(graph), spec.name)];
      if (same(side, spec, own)) return [];
      return [mismatch(`${says}, and the graph has it as ${describe(own)}`, describe(own), describe(spec))];
    }),
    ...graph
      .filter(({ name }) => !known.has(name))
      .map(({ name }) =>
        mismatch(`The graph has the ${side} '${name}', which the manifest does not declare`, name, names(declared)),
      ),
  ];
}

const names = (specs: readonly TensorSpec[]): string => specs.map(({ name }) => name).join(', ');
const describe = (spec: TensorSpec): string => describeTensor(spec) + (spec.optional ? ' with a default' : '');

/** Shapes of outputs are hints in the graph, so a publisher may know better which of their dimensions are free. */
function same(side: 'input' | 'output', a: TensorSpec, b: TensorSpec): boolean {
  if (a.datatype !== b.datatype || a.shape.length !== b.shape.length || !a.optional !== !b.optional) return false;
  const loose = side === 'output';
  return a.shape.every((dim, axis) => dim === b.shape[axis] || (loose && (dim === -1 || b.shape[axis] === -1)));
}

function compareOmitted(declared: Signature, graph: Signature): Refusal[] {
  const text = ({ omittedOutputs = [] }: Signature): string =>
    omittedOutputs.map(({ name, type }) => `'${name}' ${type}`).join(', ') || 'none';
  if (text(declared) === text(graph)) return [];
  const what = `Outputs that are no tensors: the manifest declares ${text(declared)}, the graph has ${text(graph)}`;
  return [mismatch(what, text(graph), text(declared))];
}

function compareVersions({ irVersion, opsets }: Manifest['onnx'], head: OnnxHead): Refusal[] {
  const versions = (ir: number, entries: Iterable<[string, number]>): string => {
    const sorted = [...entries].map(([domain, version]) => `${domainName(normalDomain(domain))} ${version}`).sort();
    return `IR version ${ir}, opsets ${sorted.join(', ')}`;
  };
  const declared = versions(irVersion, Object.entries(opsets));
  const real = versions(head.irVersion, head.opsets);
  return declared === real
    ? []
    : [mismatch(`The manifest declares ${declared}, the graph has ${real}`, real, declared)];
}

/** Samples against the signature beside them, so that nothing is run that cannot be right. */
export function judgeSamples({ samples = [], signature }: Manifest): Refusal[] {
  return samples.flatMap((sample, index) =>
    sampleFaults(sample, signature).map((fault) => ({
      code: 'manifest-invalid' as const,
      message: `Sample ${index} of the manifest ${fault}: publish the version again with samples that fit.`,
    })),
  );
}

function sampleFaults(sample: Sample, { inputs, outputs }: Signature): string[] {
  const given = new Map(Object.entries(sample.inputs));
  const missing = inputs.filter(({ name, optional }) => !optional && !given.has(name));
  return [
    ...missing.map(({ name }) => `lacks the input '${name}'`),
    ...[...given].flatMap(([name, tensor]) => tensorFaults('input', name, tensor, inputs)),
    ...Object.entries(sample.outputs).flatMap(([name, tensor]) => tensorFaults('output', name, tensor, outputs)),
    ...(Object.keys(sample.outputs).length === 0 ? ['names no outputs'] : []),
  ];
}

function tensorFaults(
  side: 'input' | 'output',
  name: string,
  tensor: SampleTensor,
  specs: readonly TensorSpec[],
): string[] {
  const spec = specs.find((entry) => entry.name === name);
  if (!spec) return [`has the ${side} '${name}', which the signature has not`];
  const { datatype, shape, data } = tensor;
  const faults: string[] = [];
  if (datatype !== spec.datatype) faults.push(`has the ${side} '${name}' as ${datatype} instead of ${spec.datatype}`);
  if (side === 'input' && !fits(shape, spec.shape)) {
    faults.push(`has the input '${name}' of shape [${shape}], the signature says [${spec.shape}]`);
  }
  const count = elementCount(shape);
  if (data.length !== count) faults.push(`has ${data.length} elements for the ${side} '${name}' of shape [${shape}]`);
  return faults;
}

function fits(shape: readonly number[], declared: readonly number[]): boolean {
  return shape.length === declared.length && declared.every((dim, axis) => dim === -1 || dim === shape[axis]);
}
