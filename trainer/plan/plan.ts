import type { DriftedFeature } from '../evaluate/drift.ts';
import type { Reason } from './task.ts';

/** What the bucket tells of a model, as far as planning goes. */
export interface ModelFacts {
  /** Versions that lie there and are not retired, whether they fit or not. */
  versions: number;
  /** `kedge retire MODEL`: nobody wants it any more. */
  retired: boolean;
  /** The one that the code here would serve: pinned, else the newest that fits. */
  champion?: { version: number; createdAt: string } | undefined;
}

/** `ensure`: only what has no version that fits. `drifted`: also what has drifted. `stale`: also what is older than the limit, or drifted. `all`: everything. */
export type Mode = { kind: 'ensure' } | { kind: 'drifted' } | { kind: 'stale'; olderThanMs: number } | { kind: 'all' };

export interface PlanOptions {
  mode: Mode;
  /** Milliseconds since the epoch. */
  now: number;
  /** Models whose inputs are no longer those that the champion learned from. */
  drifted?: ReadonlyMap<string, readonly DriftedFeature[]>;
}

export interface Planned {
  model: string;
  reason: Reason;
  drift?: readonly DriftedFeature[];
}

/**
 * Which models are trained, and why; in the order of the models wanted. A retired one is not. Pure.
 * @param facts a model that is not in it has nothing in the bucket
 */
export function planModels(
  wanted: readonly string[],
  facts: ReadonlyMap<string, ModelFacts>,
  options: PlanOptions,
): Planned[] {
  return wanted.flatMap((model): Planned[] => {
    const found = facts.get(model);
    if (found?.retired) return [];
    const reason = reasonFor(model, found, options);
    const drift = reason === 'drifted' ? options.drifted?.get(model) : undefined;
    return reason ? [{ model, reason, ...(drift && { drift }) }] : [];
  });
}

function reasonFor(model: string, found: ModelFacts | undefined, options: PlanOptions): Reason | undefined {
  const { mode, now, drifted } = options;
  if (!found || found.versions === 0) return 'missing';
  if (!found.champion) return 'incompatible';
  if (mode.kind === 'ensure') return undefined;
  // A time that cannot be read is that of a version nobody knows the age of.
  const age = now - Date.parse(found.champion.createdAt);
  if (mode.kind === 'stale' && !(age < mode.olderThanMs)) return 'stale';
  if (drifted?.has(model)) return 'drifted';
  return mode.kind === 'all' ? 'asked' : undefined;
}

/** `20261124t225434-3f9a1c`. `random` is in [0, 1). */
export function runId(now: number, random: number): string {
  const time = new Date(now)
    .toISOString()
    .replace(/[-:]|\..*$/g, '')
    .toLowerCase();
  return `${time}-${Math.floor(random * 2 ** 24)
    .toString(16)
    .padStart(6, '0')}`;
}

export function modeText(mode: Mode): string {
  return mode.kind === 'stale' ? `stale ${mode.olderThanMs / 3_600_000}h` : mode.kind;
}
