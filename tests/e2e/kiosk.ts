import { writeFile } from 'node:fs/promises';
import type { Estimator, Feature } from '../../contract/estimator.ts';
import { metricsOf } from '../../trainer/evaluate/metrics.ts';
import { samplesOf } from '../../trainer/evaluate/samples.ts';
import { fitterNamed } from '../../trainer/fit/fitters.ts';
import { seededRandom } from '../../trainer/fit/random.ts';
import type { FittedModel, Trainable } from '../../trainer/run/trainable.ts';
import { pick, rowMajor, type TrainingSet, withRows } from '../../trainer/table.ts';

/**
 * Sales of a kiosk for tests of code that changes: 3 and 2 for each degree, 20 less where it rains. The estimator of one release knows
 * the temperature alone; that of the next one the rain too, so its models take one feature more. A row is written the same way for both.
 */
const SALES = (temperature: number, rain: boolean): number => 3 + 2 * temperature - (rain ? 20 : 0);

const TEMPERATURE: Feature = { name: 'temperature', type: 'number', encoding: 'identity', unit: '°C' };
const RAIN: Feature = { name: 'rain', type: 'boolean', encoding: 'identity' };
const [ROWS, HELD_OUT] = [600, 120];

export function kioskEstimator(version: string, { knowsRain }: { knowsRain: boolean }): Estimator {
  const features = [TEMPERATURE, ...(knowsRain ? [RAIN] : [])];
  const numbersOf = (row: Record<string, unknown>): number[] => features.map(({ name }) => Number(row[name] ?? false));
  return {
    name: 'kiosk',
    version,
    features,
    row: [
      { name: 'temperature', type: 'number', description: '°C', required: true },
      { name: 'rain', type: 'boolean', description: 'whether it rains', required: knowsRain },
    ],
    encode(rows) {
      const data = Float32Array.from(rows.flatMap(numbersOf));
      return new Map([['features', { datatype: 'FP32', shape: [rows.length, features.length], data }]]);
    },
    decode: (outputs) => Array.from([...outputs.values()][0]!.data as Float32Array, (sales) => ({ sales })),
  };
}

/** Trains one model, `kiosk`, by ridge over what `estimator` encodes. */
export function kioskTrainable(estimator: Estimator): Trainable {
  return {
    estimator,
    open: async () => ({
      models: async () => ['kiosk'],
      extract: ({ model }, folder) => writeFile(`${folder}/model`, model),
      close: async () => undefined,
    }),
    fit: ({ seed }) => fitKiosk(estimator, seed),
  };
}

async function fitKiosk(estimator: Estimator, seed: number): Promise<FittedModel> {
  const random = seededRandom(seed);
  const days = Array.from({ length: ROWS }, () => ({ temperature: random() * 30, rain: random() < 0.3 }));
  const encoded = estimator.encode(days).get('features')!.data as Float32Array;
  const width = estimator.features.length;
  const set: TrainingSet = {
    table: {
      rows: ROWS,
      columns: estimator.features.map(({ name }, at) => ({
        name,
        kind: 'numeric',
        values: Float32Array.from({ length: ROWS }, (_, row) => encoded[row * width + at]!),
      })),
    },
    target: Float64Array.from(days, ({ temperature, rain }) => SALES(temperature, rain) + random() - 0.5),
  };
  const all = Uint32Array.from({ length: ROWS }, (_, row) => row);
  const [test, train] = [all.subarray(0, HELD_OUT), all.subarray(HELD_OUT)];
  const fitted = await fitterNamed('ridge').fit(withRows(set, train), { seed });
  const [target, answers] = [pick(set.target, test), await fitted.predict(set.table, test)];
  const mean = pick(set.target, train).reduce((sum, value) => sum + value, 0) / train.length;
  return {
    onnx: fitted.onnx(),
    ...fitted.names,
    details: { samples: await samplesOf(fitted, set.table, test), training: { rows: train.length } },
    heldOut: {
      rows: HELD_OUT,
      columns: width,
      features: rowMajor(set.table, test),
      target,
      naive: new Float64Array(HELD_OUT).fill(mean),
      fitted: Float64Array.from(answers),
    },
    report: { metrics: metricsOf('squared-error', { target, answers }) },
  };
}
