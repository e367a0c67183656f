import { isModelName, isSafePath, parseVersion } from './names.ts';

/** Names in the bucket. Keys are relative to the prefix of the bucket. */
export const INDEX_KEY = 'index.json';
export const CLAIM_FILE = 'claim.json';
export const MANIFEST_FILE = 'manifest.json';
export const MODEL_FILE = 'model.onnx';
const ROLLOUT_FILE = 'rollout.json';

export const rolloutKey = (model: string): string => `${model}/${ROLLOUT_FILE}`;
export const versionPrefix = (model: string, version: number): string => `${model}/${version}/`;
export const fileKey = (model: string, version: number, path: string): string => `${model}/${version}/${path}`;
export const claimKey = (model: string, version: number): string => fileKey(model, version, CLAIM_FILE);
export const manifestKey = (model: string, version: number): string => fileKey(model, version, MANIFEST_FILE);

export type BucketKey =
  | { kind: 'index' }
  | { kind: 'rollout'; model: string }
  | { kind: 'file'; model: string; version: number; path: string };

/** What a key of the bucket is; undefined for keys that are not Kedge's (they are left alone). */
export function parseKey(key: string): BucketKey | undefined {
  if (key === INDEX_KEY) return { kind: 'index' };
  const [model = '', second = '', ...rest] = key.split('/');
  if (!isModelName(model)) return undefined;
  if (rest.length === 0) return second === ROLLOUT_FILE ? { kind: 'rollout', model } : undefined;
  const version = parseVersion(second);
  const path = rest.join('/');
  if (version === undefined || !isSafePath(path)) return undefined;
  return { kind: 'file', model, version, path };
}

/** Names on the volume, relative to its root. The loader alone writes them. */
export const CATALOG_FILE = 'catalog.json';
export const STAGING_DIR = '.staging';
export const MODELS_DIR = 'models';
export const versionDir = (model: string, version: number): string => `${MODELS_DIR}/${model}/${version}`;
