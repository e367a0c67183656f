import { KedgeError } from '../contract/errors.ts';
import { CLAIM_FILE, MANIFEST_FILE, parseKey } from '../contract/layout.ts';
import type { ObjectInfo, ObjectStore } from './object-store.ts';

/** What lies under one version. */
export interface ScannedVersion {
  version: number;
  /**
   * published: there is a manifest. bare: files, but neither claim nor manifest. incomplete: a claim, and the manifest that it
   * announces is not there.
   */
  kind: 'published' | 'bare' | 'incomplete';
  claim?: ObjectInfo | undefined;
  manifest?: ObjectInfo | undefined;
  /** By path, the claim and the manifest left out; sorted. */
  files: Map<string, ObjectInfo>;
}

export interface ScannedModel {
  model: string;
  rollout?: ObjectInfo | undefined;
  /** Ascending. */
  versions: Map<number, ScannedVersion>;
}

/** All models of the bucket, by name, in the order of names. Keys that are not Kedge's are left alone. */
export async function scanBucket(store: ObjectStore, signal?: AbortSignal): Promise<Map<string, ScannedModel>> {
  return scan(store, '', signal);
}

/** One model; without versions and rollout where the bucket has nothing of it. */
export async function scanModel(store: ObjectStore, model: string, signal?: AbortSignal): Promise<ScannedModel> {
  return (await scan(store, `${model}/`, signal)).get(model) ?? { model, versions: new Map() };
}

async function scan(store: ObjectStore, prefix: string, signal?: AbortSignal): Promise<Map<string, ScannedModel>> {
  const models = new Map<string, ScannedModel>();
  for await (const page of store.list(prefix, signal ? { signal } : {})) for (const object of page) add(models, object);
  for (const model of models.values())
    model.versions = new Map([...model.versions].sort(([a], [b]) => a - b).map(([n, found]) => [n, withKind(found)]));
  return new Map([...models].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function add(models: Map<string, ScannedModel>, object: ObjectInfo): void {
  const key = parseKey(object.key);
  if (!key || key.kind === 'index') return;
  const model: ScannedModel = models.get(key.model) ?? { model: key.model, versions: new Map() };
  models.set(key.model, model);
  if (key.kind === 'rollout') {
    model.rollout = object;
    return;
  }
  const found: ScannedVersion = model.versions.get(key.version) ?? {
    version: key.version,
    kind: 'bare',
    files: new Map(),
  };
  model.versions.set(key.version, found);
  if (key.path === CLAIM_FILE) found.claim = object;
  else if (key.path === MANIFEST_FILE) found.manifest = object;
  else found.files.set(key.path, object);
}

function withKind(found: ScannedVersion): ScannedVersion {
  return { ...found, kind: found.manifest ? 'published' : found.claim ? 'incomplete' : 'bare' };
}

/** @throws KedgeError `model-unknown` where the bucket has nothing of it */
export async function scanKnownModel(store: ObjectStore, model: string, signal?: AbortSignal): Promise<ScannedModel> {
  const scanned = await scanModel(store, model, signal);
  if (scanned.versions.size > 0 || scanned.rollout) return scanned;
  throw new KedgeError('model-unknown', `there is no model ${model} in ${store.url}. kedge ls shows those that are.`);
}

/** @throws KedgeError `version-unknown` that names those that there are */
export function versionOf(scanned: ScannedModel, version: number): ScannedVersion {
  const found = scanned.versions.get(version);
  if (found) return found;
  const there = [...scanned.versions.keys()];
  const list = there.length === 0 ? 'none' : there.slice(-10).join(', ');
  const shown = there.length > 10 ? `the newest are ${list}` : `there are ${list}`;
  throw new KedgeError('version-unknown', `${scanned.model} has no version ${version}; ${shown}.`);
}
