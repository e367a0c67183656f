import { expect } from 'vitest';
import { admit, type Candidate, type Facts, type PresentFile } from '../../admission.ts';
import type { Details, Manifest } from '../../manifest.ts';
import { manifestOf } from '../../manifest-of.ts';
import { readHeadOfBytes } from '../../onnx/head.ts';
import { linearModel } from '../../onnx/testing/models.ts';
import type { Refusal, RefusalCode } from '../../refusal.ts';
import { RUNTIME } from '../../runtime.ts';

export const sha256 = 'a'.repeat(64);
export const features = `sha256:${'f'.repeat(64)}`;
export const runtime: Facts = { runtime: RUNTIME };

/** A published version of these bytes, with the files that the manifest names really there. */
export function published(
  bytes: Uint8Array = linearModel(),
  change: object = {},
  details?: Details,
): Candidate & { manifest: Manifest; files: PresentFile[] } {
  const head = readHeadOfBytes(bytes);
  if (!head.ok) throw new Error(head.refusals[0]!.message);
  const files = [{ path: 'model.onnx', bytes: bytes.length, sha256 }];
  const manifest = manifestOf({
    model: 'demand',
    version: 3,
    createdAt: '2026-11-23T02:40:00Z',
    files,
    head: head.head,
    details,
  });
  return { model: 'demand', version: 3, head, files, manifest: { ...manifest, ...change } };
}

/** The same, copied by hand: no manifest. */
export function bare(bytes: Uint8Array, others: PresentFile[] = []): Candidate {
  return {
    model: 'demand',
    version: 3,
    head: readHeadOfBytes(bytes),
    files: [{ path: 'model.onnx', bytes: bytes.length }, ...others],
  };
}

export const codes = (refusals: Refusal[]): RefusalCode[] => refusals.map(({ code }) => code);

export function refused(candidate: Candidate, facts: Facts, code: RefusalCode, sentence: RegExp): void {
  const refusals = admit(candidate, facts);
  expect(codes(refusals)).toEqual([code]);
  expect(refusals[0]!.message).toMatch(sentence);
}
