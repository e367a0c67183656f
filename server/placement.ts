import type { CatalogAvailable } from '../contract/catalog.ts';

/** What is fast enough for the serving loop, which stands still meanwhile. */
const MAX_INLINE_LOAD_MS = 200;
const MAX_INLINE_RUN_MS = 2;
/** Larger ones hold the loop up while they load, by a millisecond or two for each MiB, even where a probe on an idle machine found them fast. */
const MAX_INLINE_BYTES = 32 * 2 ** 20;
/** Operators that a reason names before it says how many more there are. */
const NAMED = 3;

export interface Placement {
  engine: 'inline' | 'host';
  /** A sentence for `/versions`. */
  reason: string;
}

export interface RowsJudgement {
  /** Rows of several requests may be answered in one run, unless the engine's trial forbids it. */
  merge: boolean;
  basis: 'proved' | 'declared' | 'unproved';
  reason: string;
}

/** Whether rows of several requests are answered in one run, as `/versions` tells it. */
export interface Merging {
  merged: boolean;
  /** `forbidden`: by a trial at its load, or by a run since, though it was proved or declared. */
  basis: RowsJudgement['basis'] | 'forbidden';
  reason: string;
  /** What the engine says of a version that is loaded and merged. */
  trial?: string;
}

/**
 * Whether rows of several requests may be answered in one run: where the graph proves that they keep apart or the publisher
 * declares it. Pure.
 */
export function judgeRows({
  manifest,
  rows,
  probe,
}: Pick<CatalogAvailable, 'manifest' | 'rows' | 'probe'>): RowsJudgement {
  const declared = manifest.batching?.rows;
  if (declared === 'dependent') {
    return { merge: false, basis: 'declared', reason: 'The publisher says that rows depend on each other.' };
  }
  if (rows?.independent) return { merge: true, basis: 'proved', reason: rows.because };
  const because = rows?.because ?? 'The loader that wrote the catalog did not look at the graph for it.';
  if (declared === undefined) return { merge: false, basis: 'unproved', reason: because };
  const { outputs, omittedOutputs = [] } = manifest.signature;
  const other = outputs.find(({ name }) => !probe.rowOutputs.includes(name)) ?? omittedOutputs[0];
  if (!other) return { merge: true, basis: 'declared', reason: 'The publisher says that rows are independent.' };
  const reason = `Output '${other.name}' was not seen to have a row for each row of the inputs.`;
  return { merge: false, basis: 'unproved', reason };
}

/**
 * What came of that judgement. Pure.
 * @param engine what the engine says; undefined where the version is not loaded, or the engine has no say
 */
export function describeMerging(
  { merge, basis, reason }: RowsJudgement,
  engine: { merges: boolean; because: string } | undefined,
): Merging {
  if (!engine || !merge) return { merged: merge, basis, reason };
  if (!engine.merges) return { merged: false, basis: 'forbidden', reason: engine.because };
  return { merged: true, basis, reason, trial: engine.because };
}

/**
 * Where a version runs: on the serving loop only if every operator of its graph is proved harmless, no request can make one run of it as long as it
 * likes, and the probe measured it fast, else in a process of its own. `mode` other than `auto` overrules. Pure.
 */
export function placeVersion(
  entry: Pick<CatalogAvailable, 'unproved' | 'probe' | 'manifest' | 'rows'>,
  mode: 'auto' | 'inline' | 'host',
): Placement {
  const { unproved, probe, manifest } = entry;
  if (mode !== 'auto') return { engine: mode, reason: `KEDGE_ENGINE is ${mode}.` };
  if (unproved.length > 0) {
    return { engine: 'host', reason: `Not proved harmless on every input: ${some(unproved)}.` };
  }
  const unbounded = unboundedBecause(entry);
  if (unbounded) return { engine: 'host', reason: unbounded };
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes > MAX_INLINE_BYTES) {
    const [mebibytes, most] = [bytes, MAX_INLINE_BYTES].map((size) => Math.ceil(size / 2 ** 20));
    return {
      engine: 'host',
      reason: `Its files take ${mebibytes} MiB, over ${most}: loading them would hold others up.`,
    };
  }
  if (!(probe.loadMs <= MAX_INLINE_LOAD_MS)) {
    return {
      engine: 'host',
      reason: `Loading took ${round(probe.loadMs)} ms in the probe, over ${MAX_INLINE_LOAD_MS}.`,
    };
  }
  if (!(probe.runMs <= MAX_INLINE_RUN_MS)) {
    return { engine: 'host', reason: `A run took ${round(probe.runMs)} ms in the probe, over ${MAX_INLINE_RUN_MS}.` };
  }
  return {
    engine: 'inline',
    reason: `Every operator is proved harmless; load ${round(probe.loadMs)} ms and run ${round(probe.runMs)} ms in the probe.`,
  };
}

/**
 * Why one run can be as long as a request likes, though the probe saw a short one. It cannot be where all sizes are fixed, nor where nothing but
 * the number of rows is free and the engine runs them in parts.
 */
function unboundedBecause(entry: Pick<CatalogAvailable, 'probe' | 'manifest' | 'rows'>): string | undefined {
  const { inputs } = entry.manifest.signature;
  if (inputs.every(({ shape }) => !shape.includes(-1))) return undefined;
  const wide = inputs.find(({ shape, optional }) => shape.indexOf(-1, optional ? 0 : 1) >= 0);
  if (wide) return `A request can make one run as long as it likes, by the size of input '${wide.name}'.`;
  const { merge, reason } = judgeRows(entry);
  const rowless = inputs.find(({ shape, optional }) => !optional && shape[0] !== -1);
  if (merge && !rowless) return undefined;
  const because = merge ? `Input '${rowless!.name}' has no rows.` : reason;
  return `A request can make one run as long as it likes, as its rows cannot be run in parts: ${because}`;
}

function some(operators: readonly string[]): string {
  const more = operators.length - NAMED;
  return operators.slice(0, NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function round(ms: number): number {
  return ms >= 10 ? Math.round(ms) : Number(ms.toPrecision(2));
}
