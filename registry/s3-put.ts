import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { KedgeError } from '../contract/errors.ts';
import { backoffMs } from '../platform/backoff.ts';
import type { Clock } from '../platform/clock.ts';
import type { ObjectStore, PutBody, PutCondition, PutOptions } from './object-store.ts';
import { attemptsOf, statusOf } from './s3-errors.ts';

export interface PutContext {
  quick: S3Client;
  patient: S3Client;
  store: ObjectStore;
  address: { Bucket: string; Key: string };
  key: string;
  clock: Clock;
  random: () => number;
  partBytes: number | undefined;
  explain: (error: unknown) => Error;
}

/** S3 answers 409 to a conditional put that met another one under way; it asks to be tried again. */
const CONFLICT_ATTEMPTS = 8;
const CONFLICT_BACKOFF = { baseMs: 50, maxMs: 2_000 };
/** Up to this size the impatient client puts. */
const QUICK_BYTES = 256 * 1024;
const PART_BYTES = 16 * 2 ** 20;
/** S3 takes no more parts than this; parts grow where a file would need more. */
const MAX_PARTS = 10_000;
const PARTS_AT_ONCE = 4;

/** Stores one object under its condition; see {@link ObjectStore.put}. */
export async function putObject(
  context: PutContext,
  body: PutBody,
  condition: PutCondition,
  options: PutOptions,
): Promise<{ etag: string }> {
  if ('ifMatch' in condition && condition.ifMatch === '')
    throw new KedgeError('conflict', `the store gave no etag for ${context.key}, so it cannot be swapped safely.`);
  options.signal?.throwIfAborted();
  let maybeStored = false;
  for (let attempt = 0; ; attempt++) {
    try {
      return { etag: await send(context, body, condition, options) };
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason;
      // The SDK repeats a put whose answer was lost, and the store then says that the object is there already.
      maybeStored ||= attemptsOf(error) > 1;
      const failure = failureOf(error, condition);
      if (failure !== 'other' && maybeStored) {
        const mine = await storedByUs(context, body, options);
        if (mine) return mine;
      }
      if (failure === 'taken') throw taken(context, condition);
      if (failure !== 'busy') throw sourceError(error, body) ?? context.explain(error);
      if (attempt + 1 >= CONFLICT_ATTEMPTS) throw busy(context);
      await context.clock.sleep(backoffMs(attempt, CONFLICT_BACKOFF, context.random()), options.signal);
    }
  }
}

/**
 * `taken`: the condition does not hold. `busy`: another conditional put is under way. `gone`: the parts are no longer there,
 * as after a completion whose answer was lost.
 */
function failureOf(error: unknown, condition: PutCondition): 'taken' | 'busy' | 'gone' | 'other' {
  const status = statusOf(error);
  const name = (error as Error).name;
  if (status === 412) return 'taken';
  if (status === 409) return name === 'ObjectParentIsFile' ? 'taken' : 'busy';
  if (status !== 404) return 'other';
  if (name === 'NoSuchUpload') return 'gone';
  return name !== 'NoSuchBucket' && 'ifMatch' in condition ? 'taken' : 'other';
}

/** Whether the fault is with the file that was to be stored, and not with the store. */
function sourceError(error: unknown, body: PutBody): KedgeError | undefined {
  if (body instanceof Uint8Array || (error as NodeJS.ErrnoException).path !== body.file) return undefined;
  return new KedgeError('source-invalid', `${body.file} cannot be read: ${(error as Error).message}.`, {
    cause: error,
  });
}

function send(context: PutContext, body: PutBody, condition: PutCondition, options: PutOptions): Promise<string> {
  const partBytes = context.partBytes ?? PART_BYTES;
  if (!(body instanceof Uint8Array) && body.bytes > partBytes)
    return sendInParts(context, { ...body, partBytes }, condition, options);
  return sendWhole(context, body, condition, options);
}

async function sendWhole(
  { address, quick, patient }: PutContext,
  body: PutBody,
  condition: PutCondition,
  { signal, onProgress }: PutOptions,
): Promise<string> {
  const bytes = body instanceof Uint8Array ? body : await readWhole(body);
  const client = bytes.byteLength <= QUICK_BYTES ? quick : patient;
  const command = new PutObjectCommand({
    ...address,
    ...headers(condition),
    Body: bytes,
    ContentLength: bytes.byteLength,
  });
  const { ETag } = await client.send(command, { abortSignal: signal });
  onProgress?.(bytes.byteLength);
  return ETag ?? '';
}

async function sendInParts(
  { address, patient }: PutContext,
  { file, bytes, partBytes }: { file: string; bytes: number; partBytes: number },
  condition: PutCondition,
  { signal, onProgress }: PutOptions,
): Promise<string> {
  await checkSize(file, bytes);
  const stream = createReadStream(file, { highWaterMark: 2 ** 20, end: bytes - 1 });
  const upload = new Upload({
    client: patient,
    queueSize: PARTS_AT_ONCE,
    partSize: Math.max(partBytes, Math.ceil(bytes / MAX_PARTS)),
    params: { ...address, ...headers(condition), Body: stream },
  });
  if (onProgress) upload.on('httpUploadProgress', ({ loaded }) => onProgress(loaded ?? 0));
  const onAbort = (): void => void upload.abort();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const { ETag } = await upload.done();
    return ETag ?? '';
  } finally {
    signal?.removeEventListener('abort', onAbort);
    stream.destroy();
  }
}

function headers(condition: PutCondition): { IfNoneMatch?: string; IfMatch?: string } {
  if ('create' in condition) return { IfNoneMatch: '*' };
  return 'ifMatch' in condition ? { IfMatch: condition.ifMatch } : {};
}

async function readWhole({ file, bytes }: { file: string; bytes: number }): Promise<Uint8Array> {
  await checkSize(file, bytes);
  return readFile(file);
}

async function checkSize(file: string, bytes: number): Promise<void> {
  const { size } = await stat(file);
  if (size !== bytes)
    throw new KedgeError(
      'object-changed',
      `${file} changed while it was published: it had ${bytes} bytes, now ${size}.`,
    );
}

/** After a 412 that may be for our own success: whether what is stored are our bytes. */
async function storedByUs(
  { store, key }: PutContext,
  body: PutBody,
  { signal }: PutOptions,
): Promise<{ etag: string } | undefined> {
  const bytes = body instanceof Uint8Array ? body.byteLength : body.bytes;
  const stored = await store.get(key, signal ? { signal } : {});
  if (stored.status !== 'ok') return undefined;
  if (stored.info.bytes !== bytes) {
    await stored.body[Symbol.asyncIterator]().return?.();
    return undefined;
  }
  const ours = await sha256(body instanceof Uint8Array ? [body] : createReadStream(body.file));
  return (await sha256(stored.body)) === ours ? { etag: stored.info.etag } : undefined;
}

async function sha256(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

function taken({ store, key }: PutContext, condition: PutCondition): KedgeError {
  const what = 'create' in condition ? 'is already there' : 'was changed by another';
  return new KedgeError('conflict', `${store.url}/${key} ${what}.`);
}

function busy({ store, key }: PutContext): KedgeError {
  return new KedgeError('conflict', `${store.url}/${key}: others kept writing it at the same time. Try again.`);
}
