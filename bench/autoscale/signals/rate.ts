/** What a counter was at a time. */
export interface Sample {
  /** Seconds. */
  at: number;
  value: number;
}

/** How much further than the mean distance of samples an edge of the window may be, for the counter to be taken to go on up to it. */
const EXTRAPOLATED = 1.1;

/**
 * The increase of a counter per second over the window that ends now, as `rate(counter[window])` of Prometheus has it, and with it KEDA and
 * prometheus-adapter (`promql/functions.go`, extrapolatedRate): from the first sample in the window to the last, extended to its edges where those are near.
 * Undefined with less than two samples.
 * @param samples in order of time
 */
export function rateOver(samples: readonly Sample[], now: number, windowSeconds: number): number | undefined {
  const start = now - windowSeconds;
  const seen = samples.filter(({ at }) => at > start && at <= now);
  const first = seen[0];
  const last = seen.at(-1);
  if (!first || !last || last.at <= first.at) return undefined;
  const increase = increaseOf(seen);
  const sampled = last.at - first.at;
  const mean = sampled / (seen.length - 1);
  const edge = (distance: number): number => (distance >= mean * EXTRAPOLATED ? mean / 2 : distance);
  // A counter begins at 0: it is not extended to before that.
  const sinceZero = increase > 0 && first.value >= 0 ? sampled * (first.value / increase) : Number.POSITIVE_INFINITY;
  const before = Math.min(edge(first.at - start), sinceZero);
  const after = edge(now - last.at);
  return (increase * ((sampled + before + after) / sampled)) / windowSeconds;
}

/** A counter that is less than before began again at 0. */
function increaseOf(samples: readonly Sample[]): number {
  return samples.reduce((sum, { value }, index) => {
    const before = samples[index - 1]?.value;
    if (before === undefined) return 0;
    return sum + (value < before ? value : value - before);
  }, 0);
}
