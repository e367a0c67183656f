/** A version that could be released to make room. */
export interface Victim<T> {
  version: T;
  bytes: number;
  /**
   * `spare`: held for a quick way back, not the active one. `cold`: of a lazy model, and no request holds or waits for it. `busy`: of a lazy
   * model, and in use or on its way: no victim now, but it can become one.
   */
  kind: 'spare' | 'cold' | 'busy';
  /** Of the model that needs the room. */
  own: boolean;
  /** When a request last held it, milliseconds since the epoch. */
  lastUsed: number;
}

/** Memory of the process and its hosts, in bytes. */
export interface Room<T> {
  budget: number;
  /** Taken by all that is loaded, being loaded or being released. */
  taken: number;
  /** The part of `taken` that is coming back: being released. */
  leaving: number;
  /** The part of `taken` that is only estimated, as its load is under way. */
  loading: number;
  /** What could be released, now or later; asked for only if room must be made. */
  victims: () => readonly Victim<T>[];
}

export type Verdict<T> =
  | { do: 'load' }
  /** Something ends soon, and then it is asked again. */
  | { do: 'wait' }
  /** It would fit without lazy models that are in use; nobody knows when they will not be. */
  | { do: 'hold' }
  | { do: 'release'; victims: T[] }
  | { do: 'refuse' };

/**
 * Whether a version that needs `need` bytes may be loaded now. Pure. Room is made before a load, never by taking away what answers:
 *
 * - What fits is loaded.
 * - Where it will fit once what is being released is gone, or may fit once the loads under way show what they really take, it waits.
 * - Else versions are released that are held for a quick way back alone: the own model's first, then the one not used for longest. Then lazy
 *   models that are cold, the one not used for longest first. No more of them than needed; none if all together would not do.
 * - Where lazy models that are in use would have to go as well, it is held until they are cold.
 * - The version that answers for a model that is not lazy is never among them, so a candidate must fit beside it: load before
 *   unload holds, and a candidate that does not fit is refused while the version before answers on.
 * - A spare one takes memory from nobody and is not refused: it waits until it fits.
 */
export function makeRoom<T>(need: number, room: Room<T>, { spare }: { spare: boolean }): Verdict<T> {
  const missing = need - (room.budget - room.taken);
  if (missing <= 0) return { do: 'load' };
  if (spare || missing <= room.leaving + room.loading) return { do: 'wait' };
  const victims = room.victims();
  const order = victims
    .filter(({ kind }) => kind !== 'busy')
    .sort(
      (a, b) =>
        Number(a.kind === 'cold') - Number(b.kind === 'cold') ||
        Number(b.own) - Number(a.own) ||
        a.lastUsed - b.lastUsed,
    );
  const chosen: Victim<T>[] = [];
  let freed = room.leaving;
  for (const victim of order) {
    if (freed >= missing) break;
    chosen.push(victim);
    freed += victim.bytes;
  }
  if (freed < missing) {
    if (room.loading > 0) return { do: 'wait' };
    const later = victims.reduce((sum, { kind, bytes }) => sum + (kind === 'busy' ? bytes : 0), 0);
    return { do: freed + later >= missing ? 'hold' : 'refuse' };
  }
  // The last one chosen may be large enough to make the ones before it needless.
  for (const victim of [...chosen]) {
    if (freed - victim.bytes < missing) continue;
    freed -= victim.bytes;
    chosen.splice(chosen.indexOf(victim), 1);
  }
  return { do: 'release', victims: chosen.map(({ version }) => version) };
}

/** Of the memory limit of the process, the part that requests, buffers and the runtime's arenas may need. */
const HEADROOM = 0.1;

/**
 * What all versions together may take, in bytes; undefined where nothing limits it. The limit of the cgroup holds whatever the setting
 * says, because passing it ends the process.
 * @param setting KEDGE_MEMORY_BUDGET_MB
 * @param limit of the cgroup
 * @param base resident memory of the process before anything is loaded
 */
export function memoryBudget({
  setting,
  limit,
  base,
}: {
  setting: number | undefined;
  limit: number | undefined;
  base: number;
}): number | undefined {
  if (limit === undefined) return setting;
  return Math.min(setting ?? Infinity, Math.max(0, Math.floor(limit * (1 - HEADROOM)) - base));
}
