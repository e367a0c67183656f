import type { ProbeReport } from '../contract/catalog.ts';
import type { Refusal } from '../contract/refusal.ts';
import { type Judged, tryOut, type Unjudged } from './prepare.ts';
import type { Services } from './services.ts';

export interface Passed {
  judged: Judged;
  report: ProbeReport;
}

/** Runs a judged version once in a process of its own, when a place for that is free. @throws what `signal` was aborted with */
export async function probeIt(
  { probing, config, metrics, clock, log }: Services,
  unjudged: Unjudged,
  judged: Judged,
  signal: AbortSignal,
): Promise<({ ok: true } & Passed) | { ok: false; reasons: Refusal[]; digest: string }> {
  return probing(async () => {
    signal.throwIfAborted();
    const { probeLoadMs: loadMs, probeRunMs: runMs, probeMemoryBytes: memoryBytes, memoryBudgetBytes } = config;
    const begun = clock.now();
    const limits = { loadMs, runMs, memoryBytes };
    const tried = await tryOut(unjudged, judged, { limits, memoryBudgetBytes, signal, log });
    metrics.probeSeconds.observe({ result: tried.ok ? 'passed' : 'refused' }, (clock.now() - begun) / 1000);
    if (!tried.ok) return { ok: false, reasons: tried.refusals, digest: judged.digest };
    return { ok: true, judged, report: tried.report };
  });
}
