import { join } from 'node:path';
import pLimit from 'p-limit';
import { KedgeError } from '../../contract/errors.ts';
import { systemClock } from '../../platform/clock.ts';
import { readSettings } from '../../platform/settings.ts';
import { historySettings } from '../config.ts';
import { type DriftedFeature, driftBaselineOf, driftedFeatures, readDriftBaseline } from '../evaluate/drift.ts';
import { metricsOf } from '../evaluate/metrics.ts';
import { seasonalNaive } from '../evaluate/naive.ts';
import { samplesOf } from '../evaluate/samples.ts';
import { byTime, timeSplits } from '../evaluate/splits.ts';
import type { Objective } from '../fit/fitter.ts';
import { fitterNamed } from '../fit/fitters.ts';
import { openHistory } from '../history/open.ts';
import type { TrainingSource } from '../history/source.ts';
import type { TrainingTask } from '../plan/task.ts';
import type { Json } from '../queue/task-queue.ts';
import { pick, rowMajor, type TrainingSet, withRows } from '../table.ts';
import { readTable, writeTable } from './table-file.ts';
import type { FittedModel, Trainable, TrainingHistory } from './trainable.ts';

const TABLE = 'table.bin';
const DAY = 24 * 3600;
const WEEK = 7 * DAY;
const DRIFT_DAYS = 14;
/** Zones whose newest days are read at once. */
const DRIFT_READS = 4;

export interface ZonesOptions {
  /** How a fitter learns; the rest of a task's settings is the fitter's own. */
  objective: Objective;
  /** The newest rows, which the model is judged by and does not see. */
  heldOut: number;
  /** Rows between both that are left out: what is not known yet when a forecast is made. */
  gap: number;
  /** Days of the newest history that are held against what the version that serves learned from. Default 14: each hour of the week twice. */
  driftDays?: number;
}

/** One model for each zone of a history, named after estimator and zone. */
export function zonesTrainable(source: TrainingSource, options: ZonesOptions): Trainable {
  const { estimator } = source;
  return {
    estimator,
    settings: { fitter: 'gbdt' },
    async open(env): Promise<TrainingHistory> {
      const database = await openHistory(readSettings(historySettings, env), { clock: systemClock, create: false });
      try {
        await source.prepare(database);
      } catch (error) {
        await database.close();
        throw error;
      }
      let known: Promise<Map<string, string>> | undefined;
      const zones = (): Promise<Map<string, string>> => {
        known ??= source.zones(database).then((all) => modelNames(estimator.name, all));
        return known;
      };
      return {
        models: async () => [...(await zones()).keys()],
        async extract({ model, window }, folder) {
          const zone = (await zones()).get(model);
          if (zone === undefined)
            throw new KedgeError('data-invalid', `The history has no zone for the model ${model}.`);
          const seconds = (time: string | undefined): number | undefined =>
            time === undefined ? undefined : Date.parse(time) / 1000;
          const set = await source.readTraining(database, zone, { from: seconds(window.from), to: seconds(window.to) });
          await writeTable(join(folder, TABLE), set, set.notes);
        },
        async drifted(questions, { to, signal, onProgress }) {
          const end = Date.parse(to) / 1000;
          const limit = pLimit(DRIFT_READS);
          let done = 0;
          const answers = await limit.map(questions, async ({ model, baseline: given }) => {
            signal?.throwIfAborted();
            const [zone, baseline] = [(await zones()).get(model), readDriftBaseline(given)];
            let found: DriftedFeature[] = [];
            if (zone !== undefined && baseline) {
              const window = { from: end - baseline.days * DAY, to: end };
              found = driftedFeatures(baseline, await source.readRecent(database, zone, window));
            }
            done += 1;
            onProgress?.({ done, total: questions.length });
            return [model, found] as const;
          });
          return new Map(answers.filter(([, found]) => found.length > 0));
        },
        close: () => database.close(),
      };
    },
    fit: (task, folder, { onProgress }) => fitZone(task, join(folder, TABLE), options, onProgress),
  };
}

/** @throws KedgeError `data-invalid` where two zones would have one model */
export function modelNames(estimator: string, zones: readonly string[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const zone of zones) {
    const slug = zone
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .toLowerCase()
      .replace(/[^a-z0-9._-]+/g, '-')
      .replace(/^-+|-+$/g, '');
    const model = `${estimator}-${slug}`;
    if (names.has(model)) {
      throw new KedgeError(
        'data-invalid',
        `The zones '${names.get(model)}' and '${zone}' would both have the model ${model}. Rename one.`,
      );
    }
    names.set(model, zone);
  }
  return names;
}

async function fitZone(
  { seed, settings: given }: TrainingTask,
  path: string,
  { objective, heldOut, gap, driftDays = DRIFT_DAYS }: ZonesOptions,
  onProgress: (done: number) => void,
): Promise<FittedModel> {
  const { notes, ...set } = await readTable(path);
  const { fitter: name = 'gbdt', ...rest } = given as { fitter?: string };
  const fitter = fitterNamed(name);
  const ordered = byTime(set);
  const [{ train, test } = { train: [0, 0], test: [0, 0] }] = timeSplits(ordered.length, {
    splits: 1,
    gap,
    testSize: heldOut,
  });
  const split = { train: ordered.subarray(train[0], train[1]), test: ordered.subarray(test[0], test[1]) };
  const training = withRows(set, split.train);
  const settings = { ...rest, objective };
  const fitted = await fitter.fit(training, {
    settings,
    seed,
    check: split.test,
    onProgress: ({ done, total }) => onProgress(total > 0 ? done / total : 0),
  });
  const answers = await fitted.predict(set.table, split.test);
  const target = pick(set.target, split.test);
  const naive = seasonalNaive(set, split, { season: WEEK });
  const metrics = metricsOf(objective, { target, answers });
  return {
    onnx: fitted.onnx(),
    ...fitted.names,
    details: {
      samples: await samplesOf(fitted, set.table, split.test),
      training: {
        rows: split.train.length,
        metrics,
        seed,
        days: daysOf(set, split.train),
        ...(notes.length > 0 && { notes }),
      },
      baseline: { ...driftBaselineOf(training, driftDays) },
    },
    heldOut: {
      rows: split.test.length,
      columns: set.table.columns.length,
      features: rowMajor(set.table, split.test),
      target,
      naive,
      fitted: Float64Array.from(answers),
    },
    report: {
      rows: split.train.length,
      metrics,
      naive: metricsOf(objective, { target, answers: naive }),
      model: fitted.describe() as Json,
      notes: [...notes],
    } as FittedModel['report'],
  };
}

/** First and last day of the rows. */
function daysOf({ times }: TrainingSet, rows: Uint32Array): [string, string] | undefined {
  if (!times || rows.length === 0) return undefined;
  const day = (row: number): string => new Date(times[row]! * 1000).toISOString().slice(0, 10);
  return [day(rows[0]!), day(rows[rows.length - 1]!)];
}
