import * as z from 'zod';
import { stringifyJson } from '../contract/json.ts';
import { parseDocument, readDocument } from '../registry/documents.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import type { Verdict } from './gate/judge.ts';
import type { Reason, Run } from './plan/task.ts';
import type { FitCost } from './run/fit-entry.ts';
import { reportKey } from './run/staging.ts';

/**
 * What came of a model. `published`: a new version; `kept-back`: the gate said no; `refused`: it could never serve; `failed`:
 * its task was set aside; `missing`: nothing was handed in.
 */
type Outcome = 'published' | 'kept-back' | 'refused' | 'failed' | 'missing';

export interface ModelReport {
  model: string;
  reason: Reason;
  outcome: Outcome;
  /** Of `published`. */
  version?: number;
  digest?: string;
  /** Published in spite of the gate. */
  forced?: boolean;
  /** Why it was not published. */
  message?: string;
  gate?: Verdict;
  /** Tries that failed. */
  attempts: number;
  cost?: FitCost;
  /** What the fitter said of itself. */
  fit?: Readonly<Record<string, unknown>>;
}

export interface RunReport {
  schemaVersion: 1;
  run: string;
  mode: string;
  by: string;
  createdAt: string;
  finishedAt: string;
  /** How many models came to which outcome. */
  outcomes: Partial<Record<Outcome, number>>;
  /** Over all tasks: what requests and limits of a worker can be set by. */
  cost: { ms: number; cpuMs: number; peakBytes: number };
  models: ModelReport[];
}

/** Pure. */
export function reportOf(run: Run, models: readonly ModelReport[], finishedAt: string): RunReport {
  const { id, mode, by, createdAt } = run;
  return { schemaVersion: 1, run: id, mode, by, createdAt, finishedAt, ...sumOf(models), models: [...models] };
}

function sumOf(models: readonly ModelReport[]): Pick<RunReport, 'outcomes' | 'cost'> {
  const outcomes: RunReport['outcomes'] = {};
  const cost = { ms: 0, cpuMs: 0, peakBytes: 0 };
  for (const { outcome, cost: own } of models) {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    cost.ms += own?.ms ?? 0;
    cost.cpuMs += own?.cpuMs ?? 0;
    cost.peakBytes = Math.max(cost.peakBytes, own?.peakBytes ?? 0);
  }
  return { outcomes, cost };
}

/** What a training of several runs came to; no model is in two of them. */
interface JointReport extends Pick<RunReport, 'outcomes' | 'cost'> {
  schemaVersion: 1;
  runs: Pick<RunReport, 'run' | 'mode' | 'by' | 'createdAt' | 'finishedAt'>[];
  models: (ModelReport & { run: string })[];
}

/** The report of one run as it is, those of several as one. Pure. */
export function jointReport(reports: readonly RunReport[]): RunReport | JointReport {
  const [only, ...others] = reports;
  if (only && others.length === 0) return only;
  const models = reports.flatMap(({ run, models: own }) => own.map((model) => ({ run, ...model })));
  return {
    schemaVersion: 1,
    runs: reports.map(({ run, mode, by, createdAt, finishedAt }) => ({ run, mode, by, createdAt, finishedAt })),
    ...sumOf(models),
    models,
  };
}

/**
 * Models that a run was for and that are not better served for it: their tasks failed, or what came could never serve. A model that the gate kept back is served as before,
 * and that is no fault; but where a run was to ensure that there is a version for this code, and there is none, it is.
 */
export function incomplete({ mode, models }: RunReport): ModelReport[] {
  return models.filter(({ outcome, gate }) => {
    if (outcome === 'kept-back') return mode === 'ensure' && gate !== undefined && gate.champion === undefined;
    return outcome !== 'published';
  });
}

export async function writeReport(store: ObjectStore, report: RunReport, signal?: AbortSignal): Promise<void> {
  const body = Buffer.from(`${stringifyJson(report, 1)}\n`);
  await store.put(reportKey(report.run), body, {}, signal ? { signal } : {});
}

/** Undefined where the run is not finished. */
export async function readReport(
  store: ObjectStore,
  run: string,
  signal?: AbortSignal,
): Promise<RunReport | undefined> {
  const document = await readDocument(store, reportKey(run), signal);
  const schema = z.looseObject({ schemaVersion: z.literal(1), run: z.string(), models: z.array(z.looseObject({})) });
  return document && (parseDocument(`${store.url}/${reportKey(run)}`, document.text, schema) as unknown as RunReport);
}
