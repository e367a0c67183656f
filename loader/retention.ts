import { type CatalogAvailable, type CatalogVersion, isAvailable } from '../contract/catalog.ts';
import type { Manifest } from '../contract/manifest.ts';
import { chooseActive, isRetired, type Rollout } from '../contract/rollout.ts';
import { isoTime } from '../platform/clock.ts';

/** The group of versions that need no code. */
export const PLAIN = 'plain';
/**
 * Old pods and new pods read the same bucket, so versions are kept for each code that they name. More generations of code than
 * this are never in use at once; the oldest do not stay for ever.
 */
export const MAX_GROUPS = 4;

export interface Retention {
  /** How many versions of each group stay. */
  keep: number;
  graceMs: number;
}

/** Versions that the same code can serve: those of one feature schema, or of none. */
export function groupOf(manifest: Manifest): string {
  return manifest.code?.features ?? PLAIN;
}

/** Available entries by group, newest first, the group with the newest version first. */
function grouped(entries: readonly CatalogVersion[]): CatalogAvailable[][] {
  const newestFirst = entries.filter(isAvailable).sort((a, b) => b.version - a.version);
  return [...Map.groupBy(newestFirst, ({ manifest }) => groupOf(manifest)).values()];
}

/** The version of each group that answers unversioned requests, as far as the catalog can tell. */
function actives(entries: readonly CatalogVersion[], rollout: Rollout | undefined): Set<number> {
  const chosen = grouped(entries)
    .slice(0, MAX_GROUPS)
    .map((group) =>
      chooseActive(
        rollout,
        group.map(({ version }) => version),
      ),
    );
  return new Set(chosen.filter((version) => version !== undefined));
}

/** Stamps each available version that another took over from, and takes the stamp from one that is active again. */
export function stampSuperseded(
  entries: readonly CatalogVersion[],
  rollout: Rollout | undefined,
  now: number,
): CatalogVersion[] {
  const active = actives(entries, rollout);
  return entries.map((entry) => {
    if (!isAvailable(entry) || active.has(entry.version) === (entry.supersededAt === undefined)) return entry;
    const { supersededAt: _stamp, ...rest } = entry;
    return active.has(entry.version) ? rest : { ...rest, supersededAt: isoTime(now) };
  });
}

/**
 * The available versions that may go: the retired ones; and those beyond the newest `keep` of their group that are neither
 * pinned nor active nor superseded less than `graceMs` ago. While a pinned version is not here yet nothing but retired ones
 * may go, because servers stay on what they have until it comes.
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
  const pin = rollout?.pin;
  const waitsForPin = pin !== undefined && !isRetired(rollout, pin) && !left.some(({ version }) => version === pin);
  const kept = new Set(
    grouped(left)
      .slice(0, MAX_GROUPS)
      .flatMap((group) => group.slice(0, keep)),
  );
  const active = actives(left, rollout);
  const surplus = left.filter((entry) => {
    const young = entry.supersededAt === undefined || now - Date.parse(entry.supersededAt) < graceMs;
    return !waitsForPin && !kept.has(entry) && entry.version !== pin && !active.has(entry.version) && !young;
  });
  return [...retired, ...surplus].map(({ version }) => version);
}
