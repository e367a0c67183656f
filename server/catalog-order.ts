import type { Catalog } from '../contract/catalog.ts';

/** What of a catalog tells which of two is the later one. */
export type CatalogStamp = Pick<Catalog, 'generation' | 'writtenAt'>;

/**
 * How long a catalog that looks older than the one in use may be a stale read. Attribute caches of network file systems
 * last up to 60 s.
 */
export const STALE_READ_MS = 90_000;

/**
 * Whether a catalog that was read takes the place of the one in use. A later generation does. So does a smaller one that was
 * written later: the volume was replaced, or its loader began anew. One that is older by both counts is a stale read of a
 * network file system, unless it is still there when no cache would hold it (a new loader whose clock is behind).
 * @param seenForMs how long the volume has shown it
 */
export function replaces(current: CatalogStamp | undefined, next: CatalogStamp, seenForMs: number): boolean {
  if (current === undefined || next.generation > current.generation) return true;
  return Date.parse(next.writtenAt) > Date.parse(current.writtenAt) || seenForMs >= STALE_READ_MS;
}
