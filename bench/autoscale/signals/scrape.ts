import { inFlightSecondsIn } from '../../inflight-counter.ts';

/**
 * Reads the metrics of a server as Prometheus does.
 * @param timeoutMs of the wall
 * @returns the integral of requests under way so far, in request-seconds; undefined where the server does not answer, or tells nothing of requests
 */
export async function scrapeInFlight(adminPort: number, timeoutMs: number): Promise<number | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`, { signal: AbortSignal.timeout(timeoutMs) });
    const text = await response.text();
    return response.ok ? inFlightSecondsIn(text) : undefined;
  } catch {
    return undefined;
  }
}
