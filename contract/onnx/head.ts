import type { Refusal } from '../refusal.ts';
import type { OnnxHead } from './graph.ts';

export type HeadResult = { ok: true; head: OnnxHead } | { ok: false; refusals: Refusal[] };

/**
 * Reads the head of an ONNX file of `size` bytes through `read(offset, length)`, a few blocks at a time.
 * Content never throws; what `read` throws goes through.
 */
export async function readHead(
  size: number,
  read: (offset: number, length: number) => Promise<Uint8Array>,
): Promise<HeadResult> {
  throw new Error(`not yet written: ${size} ${read.name}`);
}

/** The same over bytes in memory. */
export function readHeadOfBytes(bytes: Uint8Array): HeadResult {
  throw new Error(`not yet written: ${bytes.length}`);
}
