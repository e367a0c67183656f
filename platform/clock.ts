import { setTimeout as delay } from 'node:timers/promises';

/** Time, passed in wherever logic depends on it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms`, or at once when the signal aborts; it never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal, ref: true }).catch(() => undefined),
};

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
