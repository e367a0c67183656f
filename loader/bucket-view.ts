import { createHash } from 'node:crypto';
import type { BucketIndex } from '../contract/bucket-index.ts';
import { CLAIM_FILE, MANIFEST_FILE, parseKey } from '../contract/layout.ts';
import type { ObjectInfo } from '../registry/object-store.ts';

/** A file of a version as the last listing showed it. */
export interface ViewFile {
  /** Inside of the version. */
  path: string;
  bytes: number;
  etag: string;
  /** Milliseconds since the epoch. */
  modifiedAt: number;
}

/**
 * published: there is a manifest. bare: files, but neither claim nor manifest. incomplete: a claim, and the manifest that it
 * announces is not there yet.
 */
type VersionKind = 'published' | 'bare' | 'incomplete';

export interface VersionView {
  version: number;
  kind: VersionKind;
  /** Sorted by path; the claim is left out, the manifest is among them. */
  files: readonly ViewFile[];
  /** Equal fingerprints mean equal bytes. */
  fingerprint: string;
  /** The digest that the index names for the manifest. */
  vouched?: string | undefined;
  /** Nobody is still writing it, as far as one can see. */
  rests: boolean;
}

interface Listed {
  kind: VersionKind;
  files: readonly ViewFile[];
  fingerprint: string;
  /** The listing before showed the same. */
  same: boolean;
}

type ByVersion<T> = ReadonlyMap<number, T>;

/**
 * What the bucket shows: the newest index and the newest listing, merged. It says what there is to fetch, never what is to
 * be taken away: a version that is missing here is only one that cannot be fetched now (invariant: absence is no news).
 */
export interface BucketView {
  mayTear: boolean;
  /** Of the newest index that was applied; -1 before the first. */
  generation: number;
  /** Digests by model and version. Entries are added and replaced, and stay when a later index lacks them. */
  index: ReadonlyMap<string, ByVersion<string>>;
  listed: ReadonlyMap<string, ByVersion<Listed>>;
  /** The newest listing of the whole bucket showed some version, so what it does not show is not there. */
  whole: boolean;
  /** By model: what index and listing show of its rollout. */
  rollouts: ReadonlyMap<string, { digest?: string | undefined; etag?: string | undefined }>;
}

export function emptyView(mayTear: boolean): BucketView {
  return { mayTear, generation: -1, index: new Map(), listed: new Map(), whole: false, rollouts: new Map() };
}

/** An index of a smaller generation than one that was seen is old news and changes nothing; the result is then `view` itself. */
export function applyIndex(view: BucketView, index: BucketIndex): BucketView {
  if (index.generation < view.generation) return view;
  const merged = new Map(view.index);
  const rollouts = new Map(view.rollouts);
  for (const { name, versions, rollout } of index.models) {
    const digests = versions.map(({ version, digest }) => [version, digest] as const);
    merged.set(name, new Map([...(view.index.get(name) ?? []), ...digests]));
    if (rollout !== undefined) rollouts.set(name, { ...rollouts.get(name), digest: rollout });
  }
  return { ...view, generation: index.generation, index: merged, rollouts };
}

/** Versions that the index names and no listing has shown whole yet; each is worth a listing of its own folder. */
export function unlistedVersions(view: BucketView): { model: string; version: number }[] {
  return [...view.index].flatMap(([model, digests]) =>
    [...digests.keys()]
      .filter((version) => view.listed.get(model)?.get(version)?.kind !== 'published')
      .map((version) => ({ model, version })),
  );
}

/** Takes a listing of the whole bucket. Keys that are not Kedge's are left alone. */
export function applyListing(view: BucketView, objects: readonly ObjectInfo[]): BucketView {
  const found = new Map<string, Map<number, ObjectInfo[]>>();
  const rollouts = new Map(view.rollouts);
  for (const object of objects) {
    const key = parseKey(object.key);
    if (key?.kind === 'rollout') rollouts.set(key.model, { ...rollouts.get(key.model), etag: object.etag });
    if (key?.kind !== 'file') continue;
    const versions = found.get(key.model) ?? new Map<number, ObjectInfo[]>();
    found.set(key.model, versions);
    const own = versions.get(key.version);
    if (own) own.push(object);
    else versions.set(key.version, [object]);
  }
  const listed = new Map<string, ByVersion<Listed>>();
  for (const [model, versions] of found) {
    const before = view.listed.get(model);
    listed.set(model, new Map([...versions].map(([version, all]) => [version, listedOf(all, before?.get(version))])));
  }
  return { ...view, listed, whole: listed.size > 0, rollouts };
}

/** Takes a listing of one version's folder. One that shows nothing changes nothing. */
export function applyVersionListing(
  view: BucketView,
  model: string,
  version: number,
  objects: readonly ObjectInfo[],
): BucketView {
  const own = objects.filter(({ key }) => {
    const parsed = parseKey(key);
    return parsed?.kind === 'file' && parsed.model === model && parsed.version === version;
  });
  if (own.length === 0) return view;
  const versions = new Map(view.listed.get(model));
  versions.set(version, listedOf(own, versions.get(version)));
  return { ...view, listed: new Map(view.listed).set(model, versions) };
}

function listedOf(objects: readonly ObjectInfo[], before: Listed | undefined): Listed {
  const all = objects
    .map(({ key, bytes, etag, modifiedAt }) => ({ path: key.split('/').slice(2).join('/'), bytes, etag, modifiedAt }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const files = all.filter(({ path }) => path !== CLAIM_FILE);
  const claimed = files.length < all.length;
  const kind = files.some(({ path }) => path === MANIFEST_FILE) ? 'published' : claimed ? 'incomplete' : 'bare';
  const same = before !== undefined && JSON.stringify(before.files) === JSON.stringify(files);
  return { kind, files, fingerprint: fingerprintOf(files), same };
}

/** The versions of a model that the bucket shows, newest first. */
export function versionsOf(view: BucketView, model: string): VersionView[] {
  const digests = view.index.get(model);
  return [...(view.listed.get(model) ?? [])]
    .map(([version, { kind, files, fingerprint, same }]): VersionView => {
      const vouched = digests?.get(version);
      const rests = !view.mayTear || same || (kind === 'published' && vouched !== undefined);
      return { version, kind, files, fingerprint, vouched, rests };
    })
    .sort((a, b) => b.version - a.version);
}

/** All models of which the bucket shows anything. */
export function modelsOf(view: BucketView): string[] {
  return [...new Set([...view.listed.keys(), ...view.rollouts.keys()])];
}

/** Whether some version must be listed once more before it may be read. */
export function hasUnrested(view: BucketView): boolean {
  return [...view.listed.keys()].some((model) => versionsOf(view, model).some(({ rests }) => !rests));
}

/** Changes when the rollout may have changed; undefined where none was ever seen. */
export function rolloutMark(view: BucketView, model: string): string | undefined {
  const seen = view.rollouts.get(model);
  return seen && `${seen.digest ?? ''} ${seen.etag ?? ''}`;
}

function fingerprintOf(files: readonly ViewFile[]): string {
  const hash = createHash('sha256');
  for (const { path, bytes, etag } of files) hash.update(`${path}\0${bytes}\0${etag}\0`);
  return hash.digest('hex').slice(0, 32);
}
