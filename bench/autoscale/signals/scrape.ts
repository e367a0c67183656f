import { cpuSeconds, residentBytes } from '../../processes.ts';

/** What one look at a pod gave. */
export interface Scrape {
  /** Request-seconds until now: the integral of requests under way in the server. */
  inFlightSeconds: number;
  /** CPU seconds of the process and those under it; undefined where /proc does not tell. */
  cpuSeconds: number | undefined;
  residentBytes: number | undefined;
}

const INTEGRAL = /^kedge_inflight_seconds_total (\S+)$/m;

/** Reads the metrics of a server as Prometheus does. Undefined where it does not answer, or tells nothing of requests. @param timeoutMs of the wall */
export async function scrape(
  { adminPort, pid }: { adminPort: number; pid: number },
  timeoutMs: number,
): Promise<Scrape | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`, { signal: AbortSignal.timeout(timeoutMs) });
    const integral = INTEGRAL.exec(await response.text())?.[1];
    if (!response.ok || integral === undefined) return undefined;
    return { inFlightSeconds: Number(integral), cpuSeconds: cpuSeconds(pid), residentBytes: residentBytes(pid) };
  } catch {
    return undefined;
  }
}
