import type { ProbeReport } from '../contract/catalog.ts';
import type { Sample } from '../contract/manifest.ts';
import type { Refusal } from '../contract/refusal.ts';
import type { Log } from '../platform/log.ts';
import type { LoadRequest } from './engine.ts';

export interface ProbeLimits {
  /** Limit of the load, in milliseconds. */
  loadMs: number;
  /** Limit of each run, in milliseconds. */
  runMs: number;
  /** Limit of the resident memory of the process, in bytes. */
  memoryBytes: number;
}

export interface ProbeOptions {
  /** Exactly these are run if there are any; else made-up inputs. */
  samples?: readonly Sample[] | undefined;
  /** Nobody vouches for the version, so made-up inputs include hostile values. */
  bare: boolean;
  limits: ProbeLimits;
  signal?: AbortSignal | undefined;
  log: Log;
}

export type ProbeResult = { ok: true; report: ProbeReport } | { ok: false; refusals: Refusal[] };

/**
 * Loads and runs a version once in a process of its own, which is ended afterwards whatever happened.
 * @throws only what `signal` was aborted with
 */
export async function probe(_request: LoadRequest, _options: ProbeOptions): Promise<ProbeResult> {
  throw new Error('to follow');
}
