import { type CatalogUnavailable, type CatalogVersion, isAvailable } from '../contract/catalog.ts';
import { isRetired, latestOf, namedVersions, type Rollout } from '../contract/rollout.ts';
import type { VersionView } from './bucket-view.ts';
import { droppable, groupOf, PLAIN, type Retention } from './retention.ts';

/** One thing to do about one version. */
export type Action = { model: string; version: number } & (
  | {
      /** Get it, judge it, and put it on the volume or refuse it. */
      kind: 'fetch';
      /** The rollout names it, by pin, label or number. */
      named: boolean;
      /** Attempts that failed before. */
      attempts: number;
    }
  /** Read its manifest, to learn which code it needs. */
  | { kind: 'peek' }
  /** It changed in the bucket after it was vouched for: see whether its bytes did. */
  | { kind: 'recheck' }
  /** Take it off the volume. */
  | { kind: 'drop' }
  /** Strike out an entry of which nothing lies on the volume. */
  | { kind: 'forget' }
  /** Write down that it is claimed and not there yet. */
  | { kind: 'incomplete'; fingerprint: string }
);

/** All that is known of one model. */
export interface ModelSight {
  name: string;
  /** What the bucket shows, newest first. */
  versions: readonly VersionView[];
  entries: readonly CatalogVersion[];
  rollout: Rollout | undefined;
  /** Versions with something under way, or held back after it went wrong: left alone. */
  busy: ReadonlySet<number>;
  /** Available ones whose folders are not on the volume any more. */
  lost: ReadonlySet<number>;
  /** The group of a published version, by the code that it needs, where its manifest was read. */
  groupOf: (version: VersionView) => string | undefined;
  /** A listing of the whole bucket, not an empty one, shows that what is missing in `versions` is not there. */
  listed: boolean;
}

export interface PlanOptions extends Retention {
  /** What this loader's judgements depend on beside the bytes, as a digest. */
  judgedBy: string;
}

/**
 * Old pods and new pods read the same bucket, so versions are fetched for each code that they name. More generations of code than
 * this are never in use at once, so no more are fetched; of what is here already every one stays.
 */
const MAX_GROUPS = 4;
/** How many versions that nobody needs are passed in search of one that other code needs. */
const LOOK_BACK = 20;
/** How many manifests of a model are read at once, in that search. */
const PEEKS = 8;

/**
 * What to do now. Lazy: of each group of versions that the same code can serve only the newest `keep` that may be good are
 * fetched (more where the policy of the rollout asks for more), beside those that the rollout names, and an older one comes in where a newer one turned out bad. A version that was refused is left alone until its
 * fingerprint changes, or the loader that would judge it; one that failed is tried again at its `retryAt`.
 */
export function plan(models: readonly ModelSight[], options: PlanOptions, now: number): Action[] {
  return inOrder(models.map((model) => planModel(model, options, now)));
}

/** First what frees or corrects, then fetches: named ones, new ones before retries, each model's newest before any second. */
function inOrder(actions: readonly Action[][]): Action[] {
  const ranked = actions.flatMap((own) => own.map((action, rank) => ({ action, rank })));
  const weight = ({ action }: { action: Action }): number =>
    action.kind !== 'fetch' ? 0 : action.named ? 1 : 2 + action.attempts;
  return ranked.sort((a, b) => weight(a) - weight(b) || a.rank - b.rank).map(({ action }) => action);
}

function planModel(model: ModelSight, options: PlanOptions, now: number): Action[] {
  const { name, entries, rollout, busy } = model;
  const shown = new Map(model.versions.map((view) => [view.version, view]));
  const drops = droppable(entries, rollout, options, now)
    .filter((version) => !busy.has(version))
    .map((version): Action => ({ kind: 'drop', model: name, version }));
  const forgets = entries
    .filter((entry) => !isAvailable(entry) && !busy.has(entry.version))
    .filter(({ version }) => isRetired(rollout, version) || (model.listed && !shown.has(version)))
    .map(({ version }): Action => ({ kind: 'forget', model: name, version }));
  return [...drops, ...forgets, ...walk(model, shown, options, now)];
}

/** From the newest version to the oldest, until every group that was met has what it needs. */
function walk(
  { name, entries, rollout, busy, lost, groupOf: groupOfView }: ModelSight,
  shown: ReadonlyMap<number, VersionView>,
  { keep, judgedBy }: PlanOptions,
  now: number,
): Action[] {
  const known = new Map(entries.map((entry) => [entry.version, entry]));
  const marks: Action[] = [];
  const peeks: Action[] = [];
  const fetches: Action[] = [];
  const groups = new Groups(Math.max(keep, latestOf(rollout)));
  /** Of a newer version it is not known yet which code it needs: older ones wait, because it may stand in their place. */
  let unsure = false;
  const wanted = namedVersions(rollout);
  const numbers = [...new Set([...known.keys(), ...shown.keys()])].sort((a, b) => b - a);

  for (const version of numbers) {
    const at = { model: name, version };
    const entry = known.get(version);
    const view = shown.get(version);
    const named = wanted.has(version);
    if (isRetired(rollout, version)) continue;
    if (entry && isAvailable(entry)) {
      groups.count(groupOf(entry.manifest));
      if (!view || busy.has(version)) continue;
      // The same bytes come again; while the bucket shows others what is vouched for cannot be had.
      if (lost.has(version) && view.rests && view.fingerprint === entry.fingerprint)
        fetches.push({ kind: 'fetch', ...at, named, attempts: 0 });
      else if (!lost.has(version) && mustRecheck(view, entry)) marks.push({ kind: 'recheck', ...at });
      continue;
    }
    // A named version is wanted however old it is; the walk goes on for those alone.
    if (!view || (groups.ended && !named)) continue;
    const group = view.kind === 'bare' ? PLAIN : groupOfView(view);
    if (busy.has(version)) {
      groups.count(group);
      unsure ||= group === undefined;
    } else if (view.kind === 'incomplete') {
      const { fingerprint } = view;
      if (entry?.fingerprint !== fingerprint) marks.push({ kind: 'incomplete', ...at, fingerprint });
    } else if (view.rests && (!entry || isDue(entry, view, judgedBy, now))) {
      if (group === undefined && !named) {
        if (peeks.length < PEEKS) peeks.push({ kind: 'peek', ...at });
        unsure = true;
      } else if (named || groups.wants(group!)) {
        groups.count(group);
        const attempts = entry?.fingerprint === view.fingerprint ? entry.attempts : 0;
        if (named || !unsure) fetches.push({ kind: 'fetch', ...at, named, attempts });
      }
    }
  }
  return [...marks, ...peeks, ...fetches];
}

/** How many versions of each group a walk has met. */
class Groups {
  readonly #keep: number;
  readonly #counts = new Map<string, number>();
  #passed = 0;

  constructor(keep: number) {
    this.#keep = keep;
  }

  /** Nothing was wanted for so long that nothing is looked for. */
  get ended(): boolean {
    return this.#passed >= LOOK_BACK;
  }

  count(group: string | undefined): void {
    if (group !== undefined) this.#counts.set(group, (this.#counts.get(group) ?? 0) + 1);
  }

  wants(group: string): boolean {
    const count = this.#counts.get(group);
    if (this.#keep === Infinity) return true;
    const wanted = count === undefined ? this.#counts.size < MAX_GROUPS : count < this.#keep;
    if (!wanted) this.#passed += 1;
    return wanted;
  }
}

/** Whether a version that is not served may be tried again now. */
function isDue(entry: CatalogVersion, view: VersionView, judgedBy: string, now: number): boolean {
  if (isAvailable(entry)) return false;
  if (entry.fingerprint !== view.fingerprint || entry.state === 'incomplete') return true;
  // Older loaders did not write it: they were another release.
  if (entry.judgedBy !== judgedBy) return true;
  if (entry.retryAt !== undefined) return Date.parse(entry.retryAt) <= now;
  return disagrees(view, entry.digest) !== refusedAsChanged(entry);
}

function refusedAsChanged(entry: CatalogUnavailable): boolean {
  return entry.reasons.some(({ code }) => code === 'manifest-changed');
}

/** The index vouches for another manifest than the one that was read. */
function disagrees(view: VersionView, digest: string | undefined): boolean {
  return view.vouched !== undefined && digest !== undefined && view.vouched !== digest;
}

function mustRecheck(view: VersionView, entry: CatalogVersion): boolean {
  if (!view.rests || view.kind === 'incomplete' || !isAvailable(entry)) return false;
  const warned = entry.warnings?.some(({ code }) => code === 'manifest-changed') ?? false;
  return entry.fingerprint !== view.fingerprint || disagrees(view, entry.digest) !== warned;
}
