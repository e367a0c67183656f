import { hasCode, KedgeError, messageOf } from '../contract/errors.ts';
import { parseJson } from '../contract/json.ts';
import { backoffMs } from '../platform/backoff.ts';
import type { Clock } from '../platform/clock.ts';
import type { ObjectInfo, ObjectStore, PutCondition } from './object-store.ts';
import { collect } from './read-object.ts';

/** Time, randomness and cancellation of what writes the bucket. */
export interface WriteOptions {
  clock: Clock;
  /** In [0, 1), for jitter. */
  random: () => number;
  signal?: AbortSignal | undefined;
}

export interface Document {
  info: ObjectInfo;
  bytes: Buffer;
  text: string;
}

const READ_ATTEMPTS = 5;
const SWAP_ATTEMPTS = 100;
const SWAP_BACKOFF = { baseMs: 20, maxMs: 1_000 };

/** A small object whole; undefined where there is none. */
export async function readDocument(
  store: ObjectStore,
  key: string,
  signal?: AbortSignal,
): Promise<Document | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readOnce(store, key, signal);
    } catch (error) {
      // It was replaced while it was read; the next read sees the new one.
      if (!hasCode(error, 'object-changed') || attempt >= READ_ATTEMPTS) throw error;
    }
  }
}

async function readOnce(store: ObjectStore, key: string, signal?: AbortSignal): Promise<Document | undefined> {
  const got = await store.get(key, signal ? { signal } : {});
  if (got.status !== 'ok') return undefined;
  const whole = await collect(`${store.url}/${key}`, got.body);
  return { info: got.info, bytes: whole, text: whole.toString('utf8') };
}

interface Schema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: { issues: Issue[] } };
}
interface Issue {
  path: PropertyKey[];
  message: string;
}

/** @throws KedgeError `document-invalid` that names the first place where it differs from its form */
export function parseDocument<T>(name: string, text: string, schema: Schema<T>): T {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw new KedgeError('document-invalid', `${name} is no JSON: ${messageOf(error)}. Repair it.`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new KedgeError(
    'document-invalid',
    `${name} does not have its form: ${issueOf(parsed.error.issues)}. Repair it.`,
  );
}

export function issueOf([issue]: readonly Issue[]): string {
  if (!issue) return 'unknown';
  return issue.path.length > 0 ? `at ${issue.path.map(String).join('.')}: ${issue.message}` : issue.message;
}

export function toText(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/**
 * Compare-and-swap of one document: reads it, asks `change` for the new text, and writes it if nobody else did meanwhile; else
 * begins again after a pause. `change` gets what is there and answers undefined to leave it as it is.
 * @throws KedgeError `conflict` when others win every time
 */
export async function swapDocument(
  store: ObjectStore,
  key: string,
  { clock, random, signal }: WriteOptions,
  change: (current: Document | undefined) => Promise<string | undefined>,
): Promise<void> {
  for (let attempt = 0; attempt < SWAP_ATTEMPTS; attempt++) {
    const current = await readDocument(store, key, signal);
    const text = await change(current);
    if (text === undefined) return;
    const condition: PutCondition = current ? { ifMatch: current.info.etag } : { create: true };
    try {
      await store.put(key, Buffer.from(text), condition, signal ? { signal } : {});
      return;
    } catch (error) {
      if (!hasCode(error, 'conflict')) throw error;
    }
    signal?.throwIfAborted();
    await clock.sleep(backoffMs(attempt, SWAP_BACKOFF, random()), signal);
  }
  throw new KedgeError('conflict', `${store.url}/${key}: others kept writing it at the same time. Try again.`);
}
