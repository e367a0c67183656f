import * as z from 'zod';
import { rowsOf, type Table, type TrainingSet } from '../table.ts';
import { baselineOf, type FeatureBaseline } from './baseline.ts';
import { binsOf, countsAmong, countsOf, psi } from './psi.ts';
import { byTime } from './splits.ts';

/** Above it a distribution is called another one; see {@link psi}. */
const PSI_LIMIT = 0.25;
/** A feature is steady where its usual PSI, and so many deviations more, are within the limit. */
const DEVIATIONS = 2;
/** With fewer rows chance alone comes near the limit. */
const LEAST_ROWS = 200;
/** Fewer windows do not tell what is usual. */
const LEAST_WINDOWS = 4;

const DAY = 24 * 3600;

/** How far a feature strayed in earlier windows from all that came before each. */
interface UsualDrift {
  windows: number;
  /** Of the PSI over the windows. */
  mean: number;
  deviation: number;
}

export interface DriftedFeature {
  feature: string;
  /** Of its values where there are any, or of how many are missing. */
  what: 'values' | 'missing';
  psi: number;
}

/**
 * What is usual for each feature, as if drift had been asked for again and again in the second half of a training set: each window is held against all rows before it.
 * Temperature strays with the season, and a trend from everything before, whether a model is still right or not.
 * @param features the baseline of the set
 * @returns nothing where the set is too short to tell, or has no times
 */
function usualDrift(
  set: TrainingSet,
  features: Readonly<Record<string, FeatureBaseline>>,
  days: number,
): Record<string, UsualDrift> {
  const rows = byTime(set);
  const windows = windowsOf(set, rows, days);
  if (windows.length < LEAST_WINDOWS) return {};
  const found = set.table.columns.flatMap((column): [string, UsualDrift][] => {
    const baseline = features[column.name]!;
    const bins = binsOf(baseline, column, rows);
    const strayed = windows.map(([start, end]) => {
      const [before, within] = [bins.subarray(0, start), bins.subarray(start, end)];
      return psi(split(countsAmong(baseline, before)).values, split(countsAmong(baseline, within)).values);
    });
    const mean = meanOf(strayed);
    const deviation = Math.sqrt(meanOf(strayed.map((value) => (value - mean) ** 2)));
    // A window without any value is none.
    return Number.isNaN(mean) ? [] : [[column.name, { windows: windows.length, mean, deviation }]];
  });
  return Object.fromEntries(found);
}

/** Positions in the order of time: windows without overlap, back from the end to the middle of the time; those with gaps are left out. */
function windowsOf({ times }: TrainingSet, rows: Uint32Array, days: number): [start: number, end: number][] {
  if (!times || rows.length === 0) return [];
  const at = (position: number): number => times[rows[position]!]!;
  const middle = (at(0) + at(rows.length - 1)) / 2;
  const windows: [number, number][] = [];
  let end = rows.length;
  while (end > 0) {
    const from = at(end - 1) - days * DAY;
    if (from < middle) break;
    let start = end;
    while (start > 0 && at(start - 1) > from) start -= 1;
    if (end - start >= LEAST_ROWS && start >= LEAST_ROWS) windows.push([start, end]);
    end = start;
  }
  return windows;
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** {@link baselineOf} with what is usual for each feature over windows of so many days. */
export function driftBaselineOf(set: TrainingSet, days: number): DriftBaseline {
  const { features } = baselineOf(set);
  const usually = usualDrift(set, features, days);
  const entries = Object.entries(features).map(([name, baseline]): [string, DriftBaseline['features'][string]] => {
    const known = usually[name];
    return [name, { ...baseline, ...(known && { usual: known }) }];
  });
  return { days, features: Object.fromEntries(entries) };
}

const counts = z.array(z.number());
const usual = z.object({ windows: z.number(), mean: z.number(), deviation: z.number() }).optional();
const numeric = z.object({
  edges: counts,
  counts,
  underflow: z.number(),
  overflow: z.number(),
  missing: z.number(),
  usual,
});
const categorical = z.object({ categories: counts, counts, other: z.number(), missing: z.number(), usual });
const schema = z.object({
  days: z.number(),
  features: z.record(z.string(), z.union([numeric, categorical])),
});

/** The baseline of a manifest as far as drift can be judged by it. */
export type DriftBaseline = z.infer<typeof schema>;

/** Undefined for a baseline that says nothing of drift: of an older release, or made by other hands. */
export function readDriftBaseline(baseline: unknown): DriftBaseline | undefined {
  return schema.safeParse(baseline).data;
}

/**
 * The features whose values are no longer those that a model learned from, or of which more is missing. The values of one that was steady in earlier windows count. Those of
 * one that was not follow the season or a trend and say nothing; nor do those of one whose past is not known. Pure.
 * @param table the last `days` of the baseline
 * @returns the one that strayed furthest first; none where the table is too short to tell
 */
export function driftedFeatures({ features }: DriftBaseline, table: Table): DriftedFeature[] {
  const rows = rowsOf({ table });
  if (rows.length < LEAST_ROWS) return [];
  const drifted = table.columns.flatMap((column): DriftedFeature[] => {
    const { name: feature } = column;
    const baseline = features[feature];
    if (!baseline) return [];
    const [expected, actual] = [
      split(countsOf(baseline)),
      split(countsAmong(baseline, binsOf(baseline, column, rows))),
    ];
    const found: DriftedFeature[] = [];
    const [values, missing] = [psi(expected.values, actual.values), psi(expected.presence, actual.presence)];
    if (values > PSI_LIMIT && isSteady(baseline.usual)) found.push({ feature, what: 'values', psi: values });
    // The first weeks of a history have no lags: less that is missing is no news.
    if (missing > PSI_LIMIT && actual.share > expected.share) found.push({ feature, what: 'missing', psi: missing });
    return found;
  });
  return drifted.sort((a, b) => b.psi - a.psi);
}

function isSteady(usual: UsualDrift | undefined): boolean {
  return usual !== undefined && usual.mean + DEVIATIONS * usual.deviation <= PSI_LIMIT;
}

/** The values, and how many are there and how many are missing, which is the last bin of {@link countsOf}. */
function split(all: ArrayLike<number>): { values: number[]; presence: [number, number]; share: number } {
  const values = Array.from(all).slice(0, -1);
  const [there, missing] = [values.reduce((sum, count) => sum + count, 0), all[all.length - 1]!];
  return { values, presence: [there, missing], share: missing / (there + missing) };
}
