import type { Candidate } from '../admission.ts';
import { isSafePath } from '../names.ts';
import type { ExternalData } from '../onnx/graph.ts';
import type { Refusal } from '../refusal.ts';
import { ownFiles } from './files.ts';

/**
 * Tensors whose data lies in other files: these have to lie in the folder of the version, to be there and to be long enough.
 * Each file is refused once, however many tensors point to it.
 */
export function judgeExternal({ head, manifest, files }: Candidate): Refusal[] {
  if (!head?.ok) return [];
  const present = (files && ownFiles(files)) ?? manifest?.files;
  const sizes = present && new Map(present.map(({ path, bytes }) => [path, bytes]));
  return [...byLocation(head.head.external)].flatMap(([location, tensors]) => judgeLocation(location, tensors, sizes));
}

function byLocation(external: readonly ExternalData[]): Map<string, ExternalData[]> {
  const groups = new Map<string, ExternalData[]>();
  for (const entry of external) {
    const location = entry.location.replace(/^(\.\/)+/, '');
    if (!groups.has(location)) groups.set(location, []);
    groups.get(location)!.push(entry);
  }
  return groups;
}

function judgeLocation(
  location: string,
  tensors: readonly ExternalData[],
  sizes: ReadonlyMap<string, number> | undefined,
): Refusal[] {
  const [first] = tensors;
  const more = tensors.length > 1 ? ` and ${tensors.length - 1} more` : '';
  const whose = `The data of tensor '${first!.tensor}'${more}`;
  if (!isSafePath(location)) {
    const message = `${whose} lies in ${JSON.stringify(first!.location)}, outside of the folder of the version: save it beside model.onnx under a plain name.`;
    return [{ code: 'external-data-path', message, found: first!.location }];
  }
  if (!sizes) return [];
  const bytes = sizes.get(location);
  if (bytes === undefined) {
    const message = `${whose} lies in '${location}', which is not among the files of the version: publish the folder that holds both with \`kedge publish\`.`;
    return [{ code: 'external-data-missing', message, expected: location }];
  }
  return [...judgeEnd(location, tensors, bytes), ...judgeLengths(location, tensors)];
}

/** How far into its file the data reaches. */
function endOf({ offset, length, declared }: ExternalData): bigint {
  return offset + (length ?? declared ?? 0n);
}

function judgeEnd(location: string, tensors: readonly ExternalData[], bytes: number): Refusal[] {
  const last = tensors.reduce((far, entry) => (endOf(entry) > endOf(far) ? entry : far));
  const end = endOf(last);
  if (end <= BigInt(bytes)) return [];
  const message = `'${location}' has ${bytes} bytes, but the data of tensor '${last.tensor}' reaches to byte ${end}: upload it again, whole.`;
  return [{ code: 'external-data-short', message, expected: `>= ${end}`, found: String(bytes) }];
}

function judgeLengths(location: string, tensors: readonly ExternalData[]): Refusal[] {
  const short = tensors.find(
    ({ length, declared }) => length !== undefined && declared !== undefined && length < declared,
  );
  if (!short) return [];
  const message = `The tensor '${short.tensor}' takes ${short.declared} bytes, but only ${short.length} of '${location}' are named for it: export the model again.`;
  return [{ code: 'external-data-short', message, expected: String(short.declared), found: String(short.length) }];
}
