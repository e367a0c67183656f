import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KedgeError } from '../contract/errors.ts';
import { isSafePath } from '../contract/names.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { s3Environment } from './config.ts';
import { DirectoryStore } from './directory-store.ts';
import type { ObjectStore } from './object-store.ts';
import type { S3Options } from './s3-client.ts';
import { withoutPasswords } from './s3-errors.ts';
import { S3Store } from './s3-store.ts';

export interface OpenStoreOptions {
  clock?: Clock;
  /** In [0, 1), for jitter. */
  random?: () => number;
  /** Over what the environment says of S3. */
  s3?: S3Options;
}

const BUCKET_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/;

/**
 * The bucket that a URL names: `s3://bucket/prefix` or `file:///dir`. Nothing is asked of it yet.
 * @throws KedgeError `config-invalid`
 */
export function openStore(url: string, options: OpenStoreOptions = {}): ObjectStore {
  const { clock = systemClock, random = Math.random, s3 } = options;
  const [, scheme, rest = ''] = /^([a-z0-9+.-]+):\/\/(.*)$/is.exec(url) ?? [];
  if (scheme === 's3') {
    const { bucket, prefix } = splitS3(url, rest);
    return new S3Store(bucket, prefix, { ...s3Environment(), ...s3, clock, random });
  }
  if (scheme === 'file') return new DirectoryStore(folderOf(url), { clock, random });
  const hint =
    scheme === undefined && (isAbsolute(url) || url.startsWith('.')) ? ` Did you mean file://${resolve(url)}?` : '';
  throw invalid(url, `use s3://bucket/prefix or file:///dir.${hint}`);
}

function splitS3(url: string, rest: string): { bucket: string; prefix: string } {
  const [bucket = '', ...segments] = rest.replace(/\/+$/, '').split('/');
  const prefix = segments.join('/');
  if (!BUCKET_NAME.test(bucket))
    throw invalid(url, `'${bucket.replace(/.*@/, '')}' cannot name an S3 bucket; write s3://bucket/prefix.`);
  if (prefix !== '' && (!isSafePath(prefix) || /[?#]/.test(prefix)))
    throw invalid(url, `'${prefix}' cannot be a prefix; write s3://bucket/prefix.`);
  return { bucket, prefix };
}

function folderOf(url: string): string {
  try {
    return fileURLToPath(url).replace(/(?<=.)\/+$/, '');
  } catch (error) {
    throw invalid(url, `write file:///dir, with three slashes and an absolute folder (${(error as Error).message}).`);
  }
}

function invalid(url: string, advice: string): KedgeError {
  return new KedgeError('config-invalid', withoutPasswords(`the bucket '${url}' cannot be used: ${advice}`));
}
