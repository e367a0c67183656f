/** A load that a model wants. */
export interface LoadWish {
  model: string;
  /** A request waits for it. */
  asked: boolean;
  /** The model answers nothing yet. */
  dark: boolean;
  /** Held for a quick way back alone. */
  spare: boolean;
  /** Place among what its model wants; 0 is the one that should be active. */
  rank: number;
}

/**
 * The wishes in the order in which to grant them: what requests wait for, then models that answer nothing, then what should be active
 * before the rest, and spare versions last.
 */
export function inLoadOrder<W extends LoadWish>(wishes: readonly W[]): W[] {
  return [...wishes].sort(
    (a, b) =>
      Number(b.asked) - Number(a.asked) ||
      Number(b.dark) - Number(a.dark) ||
      Number(a.spare) - Number(b.spare) ||
      a.rank - b.rank,
  );
}
