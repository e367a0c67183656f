import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { admit, type Facts, type PresentFile } from '../contract/admission.ts';
import type { ProbeReport } from '../contract/catalog.ts';
import { MODEL_FILE } from '../contract/layout.ts';
import { digestOf, type Manifest } from '../contract/manifest.ts';
import { manifestOf, serializeManifest } from '../contract/manifest-of.ts';
import { unprovedOperators } from '../contract/onnx/harmless.ts';
import { type HeadResult, readHead } from '../contract/onnx/head.ts';
import { type RowIndependence, rowsIndependent } from '../contract/onnx/rows.ts';
import type { Refusal } from '../contract/refusal.ts';
import { type ProbeLimits, probe } from '../engine/probe.ts';
import type { Log } from '../platform/log.ts';
import { onVolume } from './volume-error.ts';

/** A version whose files lie in a folder, to be judged. */
export interface Unjudged {
  model: string;
  version: number;
  bare: boolean;
  /** Absolute. */
  dir: string;
  /** What lies there, with the sha256 of what came. */
  files: readonly PresentFile[];
  /** Absent for a bare drop: it is derived from the graph. */
  manifest?: { value: Manifest; bytes: Uint8Array } | undefined;
  /** When the bare model.onnx was stored, ISO 8601; it becomes `createdAt`, so that every loader derives the same manifest. */
  storedAt: string;
}

export interface Judged {
  manifest: Manifest;
  manifestBytes: Uint8Array;
  digest: string;
  unproved: string[];
  rows: RowIndependence;
}

export type Judgement = { ok: true; judged: Judged } | { ok: false; refusals: Refusal[]; digest?: string | undefined };

/** Judges what the bytes say: manifest, head and files against each other, the runtime and the contract of the model. */
export async function judge(version: Unjudged, facts: Facts): Promise<Judgement> {
  const head = await readLocalHead(join(version.dir, MODEL_FILE));
  const { model, files } = version;
  const own = version.manifest ?? (head.ok ? deriveManifest(version, head) : undefined);
  const digest = own && digestOf(own.bytes);
  const refusals = admit({ model, version: version.version, manifest: own?.value, head, files }, facts);
  if (refusals.length > 0 || !own || !head.ok)
    return { ok: false, refusals: refusals.length > 0 || head.ok ? refusals : head.refusals, digest };
  const { value: manifest, bytes: manifestBytes } = own;
  const proofs = { unproved: unprovedOperators(head.head), rows: rowsIndependent(head.head) };
  return { ok: true, judged: { manifest, manifestBytes, digest: digest!, ...proofs } };
}

export interface TryOptions {
  limits: ProbeLimits;
  memoryBudgetBytes: number | undefined;
  signal?: AbortSignal | undefined;
  log: Log;
}

export type Tried = { ok: true; report: ProbeReport } | { ok: false; refusals: Refusal[] };

/** Loads and runs it once in a process of its own, and judges what that took. @throws what `signal` was aborted with */
export async function tryOut(
  { model, version, bare, dir }: Unjudged,
  { manifest }: Judged,
  { limits, memoryBudgetBytes, signal, log }: TryOptions,
): Promise<Tried> {
  const request = { name: `${model}/${version}`, dir, files: manifest.files, signature: manifest.signature };
  const result = await probe(request, { samples: manifest.samples, bare, limits, signal, log });
  if (!result.ok) return result;
  const { report } = result;
  const refusals = admit({ model, version }, { memoryBudgetBytes, memoryBytes: report.memoryBytes });
  return refusals.length > 0 ? { ok: false, refusals } : { ok: true, report };
}

function deriveManifest(
  { model, version, files, storedAt }: Unjudged,
  head: HeadResult & { ok: true },
): { value: Manifest; bytes: Uint8Array } {
  const named = files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256: sha256! }));
  const value = manifestOf({ model, version, createdAt: storedAt, files: named, head: head.head });
  return { value, bytes: Buffer.from(serializeManifest(value)) };
}

async function readLocalHead(path: string): Promise<HeadResult> {
  return onVolume('reading model.onnx', async () => {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      return await readHead(size, async (offset, length) => {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
        return buffer.subarray(0, bytesRead);
      });
    } finally {
      await file.close();
    }
  });
}
