import { type CatalogAvailable, type CatalogVersion, isAvailable } from '../contract/catalog.ts';
import type { Manifest } from '../contract/manifest.ts';
import { chooseActive, isRetired, latestOf, namedVersions, type Rollout } from '../contract/rollout.ts';
import { isoTime } from '../platform/clock.ts';

/** The group of versions that any server can serve. */
export const PLAIN = 'plain';

export interface Retention {
  /** How many versions of each group stay. */
  keep: number;
  graceMs: number;
}

/**
 * The group of a version: all that a server's code is judged by, so that what serves one version of a group serves the others.
 * Only a newer one of its own group can stand in the place of a version, since whether any other is served the loader cannot know.
 */
export function groupOf({ code, requires = {} }: Manifest): string {
  if (!code && requires.server === undefined) return PLAIN;
  return JSON.stringify([requires.server, ...(code ? [code.estimator, code.features, requires.estimator] : [])]);
}

/** Available entries by group, newest first, the group with the newest version first. */
function grouped(entries: readonly CatalogVersion[]): CatalogAvailable[][] {
  const newestFirst = entries.filter(isAvailable).sort((a, b) => b.version - a.version);
  return [...Map.groupBy(newestFirst, ({ manifest }) => groupOf(manifest)).values()];
}

/**
 * The versions that servers hold, as far as the catalog and the rollout tell: of each group the one that answers unversioned
 * requests and as many of the newest as the policy asks for, and all that the rollout names.
 */
function inUse(entries: readonly CatalogVersion[], rollout: Rollout | undefined): Set<number> {
  const latest = latestOf(rollout);
  const groups = grouped(entries).map((group) => group.map(({ version }) => version));
  const used = groups.flatMap((versions) => [chooseActive(rollout, versions), ...versions.slice(0, latest)]);
  return new Set([...used.filter((version) => version !== undefined), ...namedVersions(rollout)]);
}

/** Stamps each available version that is not in use any more, and takes the stamp from one that is again. */
export function stampSuperseded(
  entries: readonly CatalogVersion[],
  rollout: Rollout | undefined,
  now: number,
): CatalogVersion[] {
  const used = inUse(entries, rollout);
  return entries.map((entry) => {
    if (!isAvailable(entry) || used.has(entry.version) === (entry.supersededAt === undefined)) return entry;
    const { supersededAt: _stamp, ...rest } = entry;
    return used.has(entry.version) ? rest : { ...rest, supersededAt: isoTime(now) };
  });
}

/**
 * The available versions that may go: the retired ones; and those beyond the newest `keep` of their group that are neither in
 * use by the rollout nor superseded less than `graceMs` ago. While the pinned version, or every version that the policy allows, is
 * not here yet nothing but retired ones may go, because servers stay on what they have until it comes.
 */
export function droppable(
  entries: readonly CatalogVersion[],
  rollout: Rollout | undefined,
  { keep, graceMs }: Retention,
  now: number,
): number[] {
  const available = entries.filter(isAvailable);
  const retired = available.filter(({ version }) => isRetired(rollout, version));
  const left = available.filter((entry) => !retired.includes(entry));
  if (waits(left, rollout)) return retired.map(({ version }) => version);
  // Of every group, however old: the last one may be the only one that the servers here can serve.
  const kept = new Set(grouped(left).flatMap((group) => group.slice(0, keep)));
  const used = inUse(left, rollout);
  const surplus = left.filter((entry) => {
    const young = entry.supersededAt === undefined || now - Date.parse(entry.supersededAt) < graceMs;
    return !kept.has(entry) && !used.has(entry.version) && !young;
  });
  return [...retired, ...surplus].map(({ version }) => version);
}

/** What should answer by the rollout is not here yet. */
function waits(left: readonly CatalogAvailable[], rollout: Rollout | undefined): boolean {
  const isMissing = (version: number): boolean => !left.some((entry) => entry.version === version);
  const policy = rollout?.policy;
  const specific = policy && 'specific' in policy ? policy.specific : [];
  const allowed = specific.filter((version) => !isRetired(rollout, version));
  if (allowed.length > 0 && allowed.every(isMissing)) return true;
  return rollout?.pin !== undefined && !isRetired(rollout, rollout.pin) && isMissing(rollout.pin);
}
