import { KedgeError, messageOf } from '../../contract/errors.ts';
import { inFlightSecondsIn } from '../inflight-counter.ts';
import { driveLoad } from '../load/drive-load.ts';
import type { LoadRequest } from '../load/load-options.ts';
import type { Look } from '../load/tally.ts';
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

/** Offers rates to one pod, at random times as many clients would. */
export function askPod({ url, request, metricsUrl, maxOutstanding, signal }: PodOptions): Ask {
  return async (rate, seconds, timeoutMs) => {
    const schedule = { segments: [{ from: 0, to: seconds, startRate: rate, endRate: rate, random: true }] };
    const load = { url, requests: [request], schedule, maxOutstanding, timeoutMs };
    const before = metricsUrl === undefined ? undefined : await inFlightSeconds(metricsUrl);
    const ended = Promise.withResolvers<void>();
    const after = metricsUrl === undefined ? undefined : ended.promise.then(() => inFlightSeconds(metricsUrl));
    // Its failure is told once the load is over.
    after?.catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const onLook = ({ at }: Look): void => {
      timer ??= setTimeout(ended.resolve, Math.max(0, seconds - at) * 1_000);
    };
    try {
      const { total, intervals, problems } = await driveLoad(load, { signal, onLook });
      signal.throwIfAborted();
      // A load that is over sooner than it is first looked at.
      ended.resolve();
      const inFlight = before === undefined ? undefined : ((await after)! - before) / seconds;
      return { total, seconds, left: intervals.at(-1)?.inFlight ?? 0, inFlight, problem: problems?.[0] };
    } finally {
      clearTimeout(timer);
    }
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
  return inFlightSecondsIn(text) ?? fail('it has no such counter');
}
