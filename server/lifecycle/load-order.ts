/** A load that a model wants. */
export interface LoadWish {
  model: string;
  /** The model answers nothing yet. */
  dark: boolean;
  /** Place among what its model wants; 0 is the one that should be active. */
  rank: number;
}

/** The wishes to grant first, at most `free`: models that answer nothing before others, what should be active before the rest. */
export function pickLoads<W extends LoadWish>(wishes: readonly W[], free: number): W[] {
  const order = [...wishes].sort((a, b) => Number(b.dark) - Number(a.dark) || a.rank - b.rank);
  return order.slice(0, Math.max(0, free));
}
