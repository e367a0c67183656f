import { MODEL_FILE } from '../layout.ts';
import type { Refusal } from '../refusal.ts';
import type { OnnxHead } from './graph.ts';
import { FIRST_BYTES, looksLike } from './looks-like.ts';
import { type ModelParts, newParts, readModel } from './read-model.ts';
import { Broken, ShortRead, Source, type Walk } from './source.ts';

export type HeadResult = { ok: true; head: OnnxHead } | { ok: false; refusals: Refusal[] };

/**
 * Reads the head of an ONNX file of `size` bytes through `read(offset, length)`: a walk over the protobuf that jumps over
 * tensors, so a model of 2 GB costs some kilobytes. An answer shorter than asked means that the file ends there.
 * Content never throws; what `read` throws goes through.
 */
export async function readHead(
  size: number,
  read: (offset: number, length: number) => Promise<Uint8Array>,
): Promise<HeadResult> {
  const walk = readFile(size);
  let step = walk.next();
  while (!step.done) step = walk.next(await read(step.value.offset, step.value.length));
  return step.value;
}

/** The same over bytes in memory. */
export function readHeadOfBytes(bytes: Uint8Array): HeadResult {
  const walk = readFile(bytes.length);
  let step = walk.next();
  while (!step.done) {
    const { offset, length } = step.value;
    step = walk.next(bytes.subarray(offset, offset + length));
  }
  return step.value;
}

function* readFile(size: number): Walk<HeadResult> {
  if (size === 0) return refuse({ code: 'onnx-empty', message: `${MODEL_FILE} is empty (0 bytes): upload it again.` });
  const parts = newParts();
  try {
    return { ok: true, head: yield* readModel(new Source(size), parts) };
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    return refuse(explain(error, parts, yield* firstBytes(size)));
  }
}

function* firstBytes(size: number): Walk<Uint8Array> {
  const length = Math.min(FIRST_BYTES, size);
  return (yield { offset: 0, length }).slice(0, length);
}

function refuse(refusal: Refusal): HeadResult {
  return { ok: false, refusals: [refusal] };
}

/** A file that is something else fails somewhere by chance; what it looks like says more than where it failed. */
function explain(error: Broken, parts: ModelParts, first: Uint8Array): Refusal {
  const other = looksLike(first);
  const unknown = error.code === 'onnx-not-a-model' || (parts.irVersion === undefined && !parts.met);
  if (!(error instanceof ShortRead) && (other !== undefined || unknown)) {
    const what =
      other ?? `something else (it begins with the bytes ${Buffer.from(first.subarray(0, 8)).toString('hex')})`;
    return {
      code: 'onnx-not-a-model',
      message: `${MODEL_FILE} is no ONNX model but ${what}: upload the file that the exporter wrote.`,
      expected: 'an ONNX model',
      ...(other === undefined ? {} : { found: other }),
    };
  }
  if (error.code === 'onnx-truncated') {
    return { code: error.code, message: `${MODEL_FILE} is cut off: ${error.message}. Upload it again, whole.` };
  }
  return {
    code: error.code,
    message: `${MODEL_FILE} cannot be read: ${error.message}. Export and upload it again.`,
  };
}
