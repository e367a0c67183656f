import type { Clock } from '../../platform/clock.ts';

/**
 * The one clock of a run: windows and syncs of the autoscaler, probes and the schedule of the load go by it. In compressed time its seconds are
 * shorter than those on the wall. How long a request takes is real all the same, and rates of requests are by seconds on the wall.
 */
export interface RunClock {
  /** Seconds of this clock for one on the wall. */
  readonly compression: number;
  /** Seconds since the run began. */
  now(): number;
  /** Resolves after seconds of this clock, or at once for a time that is over and when the signal aborts; never rejects. */
  sleep(seconds: number, signal?: AbortSignal): Promise<void>;
}

export function startRunClock(compression: number, wall: Clock): RunClock {
  const start = wall.now();
  return {
    compression,
    now: () => ((wall.now() - start) / 1_000) * compression,
    sleep: (seconds, signal) => wall.sleep(Math.max(0, (seconds / compression) * 1_000), signal),
  };
}
