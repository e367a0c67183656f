const INTEGRAL = /^kedge_inflight_seconds_total (\S+)$/m;

/**
 * Reads the metrics of a server as Prometheus does.
 * @param timeoutMs of the wall
 * @returns the integral of requests under way so far, in request-seconds; undefined where the server does not answer, or tells nothing of requests
 */
export async function scrapeInFlight(adminPort: number, timeoutMs: number): Promise<number | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`, { signal: AbortSignal.timeout(timeoutMs) });
    const integral = INTEGRAL.exec(await response.text())?.[1];
    return response.ok && integral !== undefined ? Number(integral) : undefined;
  } catch {
    return undefined;
  }
}
