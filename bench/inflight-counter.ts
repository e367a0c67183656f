/** Of the text that Prometheus scrapes; with labels or without. */
const SERIES = /^kedge_inflight_seconds_total(?:\{.*\})? (\S+)/gm;

/**
 * Reads of a server's metrics for how long requests were under way so far, all together, in request-seconds: its increase over a time is how many were under
 * way on average. Pure.
 * @param metrics the text at `/metrics`
 * @returns the sum over all series of `kedge_inflight_seconds_total`; undefined where there is none
 */
export function inFlightSecondsIn(metrics: string): number | undefined {
  const values = [...metrics.matchAll(SERIES)].map(([, value]) => Number(value));
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}
