import type { Readable } from 'node:stream';
import {
  type _Object,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3';
import { KedgeError } from '../contract/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { checkKey, checkRange } from './keys.ts';
import type {
  GetOptions,
  GetResult,
  ObjectInfo,
  ObjectStore,
  PutBody,
  PutCondition,
  PutOptions,
} from './object-store.ts';
import { readBody } from './s3-body.ts';
import { createClients, DEFAULT_PROGRESS, type S3Options } from './s3-client.ts';
import { bucketError, type S3Place, statusOf } from './s3-errors.ts';
import { type PutContext, putObject } from './s3-put.ts';

export interface S3StoreOptions extends S3Options {
  clock: Clock;
  /** In [0, 1), for jitter. */
  random: () => number;
}

/** Reads, in the words of an error message. */
interface Doing {
  what: string;
  signal?: AbortSignal | undefined;
}

/**
 * A bucket of S3 or of a store that speaks its protocol. What the SDK does not do is done here: it ends stalls and drips,
 * tells a missing object from a missing bucket, repeats a put that met another one (409), and takes a 412 for its own put
 * whose answer was lost for the success that it was.
 */
export class S3Store implements ObjectStore {
  readonly url: string;
  readonly mayTear = false;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #options: S3StoreOptions;
  readonly #quick: S3Client;
  readonly #patient: S3Client;
  readonly #place: S3Place;

  /** @param prefix without slashes at its ends; empty for the whole bucket */
  constructor(bucket: string, prefix: string, options: S3StoreOptions) {
    this.url = `s3://${bucket}${prefix && `/${prefix}`}`;
    this.#bucket = bucket;
    this.#prefix = prefix && `${prefix}/`;
    this.#options = options;
    ({ quick: this.#quick, patient: this.#patient } = createClients(options));
    this.#place = { url: this.url, bucket, endpoint: options.endpoint };
  }

  async *list(prefix: string, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<ObjectInfo[]> {
    const doing = { what: `listing '${prefix}'`, signal };
    let token: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: this.#prefix + prefix,
        ContinuationToken: token,
      });
      const page = await this.#try(doing, () => this.#quick.send(command, { abortSignal: signal }));
      const objects = (page.Contents ?? []).filter(({ Key }) => Key !== undefined && Key.length > this.#prefix.length);
      if (objects.length > 0) yield objects.map((object) => this.#listed(object));
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
      if (page.IsTruncated && !token) throw this.#broken(doing, 'the page names no next one');
    } while (token);
  }

  async head(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<ObjectInfo | undefined> {
    const doing = { what: `asking for ${key}`, signal };
    const command = new HeadObjectCommand(this.#address(key));
    try {
      const answer = await this.#quick.send(command, { abortSignal: signal });
      return this.#info(key, answer.ContentLength ?? 0, answer);
    } catch (error) {
      if (statusOf(error) !== 404) throw this.#explain(error, doing);
      // A 404 to a HEAD has no body that would say whether the object or the bucket is missing.
      await this.#checkBucket(doing);
      return undefined;
    }
  }

  async get(key: string, { ifNoneMatch, ifMatch, range, signal }: GetOptions = {}): Promise<GetResult> {
    const doing = { what: `reading ${key}`, signal };
    const command = new GetObjectCommand({
      ...this.#address(key),
      IfNoneMatch: ifNoneMatch || undefined,
      IfMatch: ifMatch || undefined,
      Range: range && rangeHeader(range),
    });
    try {
      const answer = await this.#quick.send(command, { abortSignal: signal });
      const bytes = answer.ContentLength ?? 0;
      const total = Number(/\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1] ?? bytes);
      const stream = answer.Body as Readable;
      if (range && !answer.ContentRange && (range.offset > 0 || (range.length ?? bytes) < bytes)) {
        stream.destroy();
        throw this.#broken(doing, 'it does not answer ranges');
      }
      const body = readBody(stream, {
        bytes,
        clock: this.#options.clock,
        progress: this.#options.progress ?? DEFAULT_PROGRESS,
        name: `${this.url}/${key}`,
        explain: (error) => this.#explain(error, doing),
        signal,
      });
      return { status: 'ok', info: this.#info(key, total, answer), body };
    } catch (error) {
      const status = statusOf(error);
      if (status === 304) return { status: 'not-modified' };
      if (status === 404 && (error as Error).name !== 'NoSuchBucket') return { status: 'missing' };
      if (status === 412) throw changed(`${this.url}/${key} was replaced while it was read. Read it again.`, 412);
      if (status === 416) throw changed(`${this.url}/${key} ends before byte ${range?.offset}. Read it again.`, 416);
      throw this.#explain(error, doing);
    }
  }

  async put(key: string, body: PutBody, condition: PutCondition, options: PutOptions = {}): Promise<{ etag: string }> {
    const { clock, random, partBytes } = this.#options;
    const context: PutContext = {
      quick: this.#quick,
      patient: this.#patient,
      store: this,
      address: this.#address(key),
      key,
      clock,
      random,
      partBytes,
      explain: (error) => this.#explain(error, { what: `writing ${key}`, signal: options.signal }),
    };
    return putObject(context, body, condition, options);
  }

  async delete(key: string, { ifMatch, signal }: { ifMatch?: string; signal?: AbortSignal } = {}): Promise<void> {
    const command = new DeleteObjectCommand({ ...this.#address(key), IfMatch: ifMatch });
    try {
      await this.#quick.send(command, { abortSignal: signal });
    } catch (error) {
      const status = statusOf(error);
      if (status === 404 && (error as Error).name !== 'NoSuchBucket') return;
      if (status === 412)
        throw new KedgeError('conflict', `${this.url}/${key} changed and was not deleted. Look at it again.`);
      throw this.#explain(error, { what: `deleting ${key}`, signal });
    }
  }

  close(): void {
    this.#quick.destroy();
    this.#patient.destroy();
  }

  #address(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + checkKey(key) };
  }

  #listed({ Key, Size, ETag, LastModified }: _Object): ObjectInfo {
    return this.#info(Key!.slice(this.#prefix.length), Size ?? 0, { ETag, LastModified });
  }

  /** Whole seconds, as heads have them: some stores list fractions, and the two must agree. */
  #info(
    key: string,
    bytes: number,
    { ETag, LastModified }: { ETag?: string | undefined; LastModified?: Date | undefined },
  ): ObjectInfo {
    const modifiedAt = Math.floor((LastModified?.getTime() ?? 0) / 1000) * 1000;
    return { key, bytes, etag: ETag ?? '', modifiedAt };
  }

  async #checkBucket(doing: Doing): Promise<void> {
    try {
      await this.#quick.send(new HeadBucketCommand({ Bucket: this.#bucket }), { abortSignal: doing.signal });
    } catch (error) {
      // Whoever may not ask for the bucket is believed to have one.
      if (statusOf(error) !== 403) throw this.#explain(error, doing);
    }
  }

  async #try<T>(doing: Doing, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw this.#explain(error, doing);
    }
  }

  #explain(error: unknown, { what, signal }: Doing): Error {
    if (signal?.aborted) return signal.reason as Error;
    return bucketError(error, this.#place, what);
  }

  #broken({ what }: Doing, problem: string): KedgeError {
    return new KedgeError('bucket-unreachable', `${this.url}: ${what} failed: ${problem}. Use another S3 store.`);
  }
}

function rangeHeader(range: { offset: number; length?: number }): string {
  const { offset, length } = checkRange(range);
  return `bytes=${offset}-${length === undefined ? '' : offset + length - 1}`;
}

function changed(message: string, status: number): KedgeError {
  return new KedgeError('object-changed', message, { details: { status } });
}
