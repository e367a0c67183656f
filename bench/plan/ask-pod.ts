import { KedgeError, messageOf } from '../../contract/errors.ts';
import { driveLoad } from '../load/drive-load.ts';
import type { LoadRequest } from '../load/load-options.ts';
import type { Ask } from './measure.ts';

export interface PodOptions {
  /** `http://HOST:PORT` of one pod. */
  url: string;
  request: LoadRequest;
  /** Its metrics: `http://HOST:8081/metrics`. */
  metricsUrl: string | undefined;
  /** Most requests under way; more count as not borne. */
  maxOutstanding: number;
  signal: AbortSignal;
}

const METRICS_TIMEOUT_MS = 5_000;
const COUNTER = /^kedge_inflight_seconds_total(?:\{[^}]*\})? ([\d.e+-]+)$/gm;

/** Offers rates to one pod, at random times as many clients would. */
export function askPod({ url, request, metricsUrl, maxOutstanding, signal }: PodOptions): Ask {
  return async (rate, seconds) => {
    const schedule = { segments: [{ from: 0, to: seconds, startRate: rate, endRate: rate, random: true }] };
    const before = metricsUrl === undefined ? undefined : await inFlightSeconds(metricsUrl);
    const { total } = await driveLoad({ url, requests: [request], schedule, maxOutstanding }, { signal });
    signal.throwIfAborted();
    const after = metricsUrl === undefined ? undefined : await inFlightSeconds(metricsUrl);
    // The counter grows by what requests take, so what the last of them add after the end of the load belongs to it.
    const inFlight = before === undefined || after === undefined ? undefined : (after - before) / seconds;
    return { total, seconds, inFlight };
  };
}

/** Seconds that requests were under way so far, all together. @throws KedgeError `config-invalid` where the URL does not tell it */
async function inFlightSeconds(url: string): Promise<number> {
  const fail = (problem: string): never => {
    throw new KedgeError(
      'config-invalid',
      `${url} does not tell how many requests are under way: ${problem}. --metrics takes the metrics of a Kedge server, port 8081, path /metrics.`,
    );
  };
  let text: string;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(METRICS_TIMEOUT_MS) });
    text = await response.text();
    if (!response.ok) return fail(`status ${response.status}`);
  } catch (error) {
    return fail(messageOf(error));
  }
  const values = [...text.matchAll(COUNTER)].map(([, value]) => Number(value));
  return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) : fail('it has no such counter');
}
