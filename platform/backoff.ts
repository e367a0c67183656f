export interface Backoff {
  baseMs: number;
  maxMs: number;
}

/**
 * Exponential backoff with equal jitter: between half and all of `base * 2^attempt`, at most `maxMs`.
 * `attempt` counts from 0; `random` is in [0, 1).
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function backoffMs(attempt: number, { baseMs, maxMs }: Backoff, random: number): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
  return ceiling / 2 + (ceiling / 2) * random;
}
