import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { hasCode, KedgeError } from '../../contract/errors.ts';
import { stringifyJson } from '../../contract/json.ts';
import { detailsSchema } from '../../contract/manifest.ts';
import type { Clock } from '../../platform/clock.ts';
import { parseDocument, readDocument } from '../../registry/documents.ts';
import type { ObjectInfo, ObjectStore } from '../../registry/object-store.ts';
import { FITTED_MODEL, type FitResult, HELD_OUT_FILE } from './fit-entry.ts';

/**
 * Where workers hand in, in the bucket: a prefix that is no model name, so that no loader reads it.
 *
 *   _train/<run>/<model>/<attempt>/model.onnx, held-out.bin   of each attempt apart
 *   _train/<run>/<model>/result.json                          create-only, last: names the attempt that counts
 *   _train/<run>/report.json                                  what came of the run
 *   _train/models/<estimator>.json                            the models that there should be, as last planned
 */
const STAGING_PREFIX = '_train/';

export const reportKey = (run: string): string => `${STAGING_PREFIX}${run}/report.json`;
const modelPrefix = (run: string, model: string): string => `${STAGING_PREFIX}${run}/${model}/`;
const resultKey = (run: string, model: string): string => `${modelPrefix(run, model)}result.json`;
const rosterKey = (estimator: string): string => `${STAGING_PREFIX}models/${estimator}.json`;

const fileSchema = z.object({ path: z.string(), bytes: z.int(), sha256: z.string() });

const stagedSchema = z.looseObject({
  schemaVersion: z.literal(1),
  model: z.string(),
  attempt: z.string(),
  files: z.array(fileSchema).length(2),
  input: z.string(),
  output: z.string(),
  rows: z.int(),
  columns: z.int(),
  details: detailsSchema,
  report: z.record(z.string(), z.unknown()),
  cost: z.object({ ms: z.number(), cpuMs: z.number(), peakBytes: z.number() }),
});

/** What a worker handed in for a model. */
export type Staged = z.infer<typeof stagedSchema>;

/**
 * Hands in what lies in `folder`. The first result of a model counts: who comes later, because a lease was lost or an
 * acknowledgement did not get through, gets the one that is there.
 * @param attempt unlike any other's
 */
export async function handIn(
  store: ObjectStore,
  run: string,
  { model, attempt, folder, result }: { model: string; attempt: string; folder: string; result: FitResult },
  signal?: AbortSignal,
): Promise<Staged> {
  const files: Staged['files'] = [];
  for (const path of [FITTED_MODEL, HELD_OUT_FILE]) {
    const bytes = await readFile(join(folder, path));
    files.push({ path, bytes: bytes.length, sha256: sha256(bytes) });
    await store.put(`${modelPrefix(run, model)}${attempt}/${path}`, bytes, {}, signal ? { signal } : {});
  }
  const staged: Staged = { schemaVersion: 1, model, attempt, files, ...result };
  try {
    const body = Buffer.from(`${stringifyJson(staged)}\n`);
    await store.put(resultKey(run, model), body, { create: true }, signal ? { signal } : {});
    return staged;
  } catch (error) {
    if (!hasCode(error, 'conflict')) throw error;
    return (await readStaged(store, run, model, signal)) ?? staged;
  }
}

/** Undefined where nothing was handed in. @throws KedgeError `document-invalid` */
export async function readStaged(
  store: ObjectStore,
  run: string,
  model: string,
  signal?: AbortSignal,
): Promise<Staged | undefined> {
  const key = resultKey(run, model);
  const document = await readDocument(store, key, signal);
  return document && parseDocument(`${store.url}/${key}`, document.text, stagedSchema);
}

/** Fetches the files of a result into a folder. @throws KedgeError `object-missing`, `object-corrupt` */
export async function fetchStaged(
  store: ObjectStore,
  run: string,
  staged: Staged,
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  for (const { path, sha256: expected } of staged.files) {
    const key = `${modelPrefix(run, staged.model)}${staged.attempt}/${path}`;
    const bytes = await fetchBytes(store, key, signal);
    if (sha256(bytes) !== expected) {
      throw new KedgeError('object-corrupt', `${store.url}/${key} is not what was handed in. Train the model again.`);
    }
    await writeFile(join(folder, path), bytes);
  }
}

/** An object whole. @throws KedgeError `object-missing` */
export async function fetchBytes(store: ObjectStore, key: string, signal?: AbortSignal): Promise<Buffer> {
  const got = await store.get(key, signal ? { signal } : {});
  if (got.status !== 'ok') throw new KedgeError('object-missing', `${store.url}/${key} is not there any more.`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of got.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Removes what was handed in for a model that is published: the bucket has it as a version. */
export async function dropStaged(store: ObjectStore, run: string, model: string, signal?: AbortSignal): Promise<void> {
  for (const { key } of await listAll(store, modelPrefix(run, model), signal)) {
    await store.delete(key, signal ? { signal } : {});
  }
}

const rosterSchema = z.looseObject({ models: z.array(z.string()) });

/** The models that there should be, as last planned; undefined where nobody planned yet. */
export async function readRoster(
  store: ObjectStore,
  estimator: string,
  signal?: AbortSignal,
): Promise<string[] | undefined> {
  const key = rosterKey(estimator);
  const document = await readDocument(store, key, signal);
  return document && parseDocument(`${store.url}/${key}`, document.text, rosterSchema).models;
}

/** Written only where it says something new. */
export async function writeRoster(
  store: ObjectStore,
  estimator: string,
  models: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const before = await readRoster(store, estimator, signal).catch(() => undefined);
  if (before?.join() === models.join()) return;
  const body = Buffer.from(`${stringifyJson({ models })}\n`);
  await store.put(rosterKey(estimator), body, {}, signal ? { signal } : {});
}

export interface StagingRemoval {
  run: string;
  objects: number;
  bytes: number;
}

export const STAGING_GRACE_MS = 30 * 24 * 3_600_000;

/**
 * Removes what runs left behind of which nothing was stored for so long: models that were not published, their reports, and
 * what workers could not hand in whole.
 */
export async function gcStaging(
  store: ObjectStore,
  {
    clock,
    graceMs = STAGING_GRACE_MS,
    dryRun = false,
    signal,
  }: { clock: Pick<Clock, 'now'>; graceMs?: number; dryRun?: boolean; signal?: AbortSignal | undefined },
): Promise<StagingRemoval[]> {
  const objects = await listAll(store, STAGING_PREFIX, signal);
  const runs = Map.groupBy(objects, ({ key }) => key.slice(STAGING_PREFIX.length).split('/')[0]!);
  const removals: StagingRemoval[] = [];
  for (const [run, found] of runs) {
    const newest = Math.max(...found.map(({ modifiedAt }) => modifiedAt));
    if (run === 'models' || clock.now() - newest < graceMs) continue;
    removals.push({ run, objects: found.length, bytes: found.reduce((sum, { bytes }) => sum + bytes, 0) });
    if (dryRun) continue;
    for (const { key } of found) await store.delete(key, signal ? { signal } : {});
  }
  return removals;
}

async function listAll(store: ObjectStore, prefix: string, signal?: AbortSignal): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  for await (const page of store.list(prefix, signal ? { signal } : {})) found.push(...page);
  return found;
}
