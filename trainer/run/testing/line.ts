import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KedgeError } from '../../../contract/errors.ts';
import type { Estimator } from '../../../contract/estimator.ts';
import { encodeModel } from '../../../contract/onnx/encode.ts';
import { runToEnd } from '../../fit/command/run.ts';
import { seededRandom } from '../../fit/random.ts';
import type { TrainingTask } from '../../plan/task.ts';
import type { FittedModel, Trainable, TrainingHistory } from '../trainable.ts';

/**
 * A small real trainer for tests: y = 2 x + noise, learned as a line through 0 by least squares, exported as one multiplication. What else it
 * does the settings of the task say.
 */
export interface LineSettings {
  /** Never answers, with its loop blocked; only this model. */
  hang?: string;
  /** Ends its process. */
  crash?: string;
  /** Cannot learn from its data, ever. */
  poison?: string;
  /** Fails while this file is not there, and makes it. */
  failOnce?: string;
  /** Starts a process that fills so many MiB, and waits for it. */
  commandMiB?: number;
  sleepMs?: number;
  /** Added to the slope: a worse model. */
  bias?: number;
  /** This model is worse than the rule of thumb, and right as an export. */
  poor?: string;
  /** Every fit writes its model's name there: to count them. */
  journal?: string;
}

export const estimator: Estimator = {
  name: 'line',
  version: '1.0.0',
  features: [{ name: 'x', type: 'number', encoding: 'identity' }],
  row: [{ name: 'x', type: 'number', description: 'x', required: true }],
  encode: (rows) =>
    new Map([
      ['x', { datatype: 'FP32', shape: [rows.length, 1], data: Float32Array.from(rows, ({ x }) => Number(x)) }],
    ]),
  decode: (outputs) => [...(outputs.get('y')!.data as Float32Array)],
};

const ROWS = 480;
const HELD_OUT = 96;

const trainable: Trainable = {
  estimator,
  async open(env): Promise<TrainingHistory> {
    if (env['LINE_NO_HISTORY']) throw new KedgeError('database-unreachable', 'The history was asked.');
    return {
      models: async () => (env['LINE_MODELS'] ?? 'line-a,line-b').split(','),
      extract: (task, folder) => writeFile(join(folder, 'seed.json'), JSON.stringify(task.seed)),
      close: async () => undefined,
    };
  },
  /** For programs: `LINE_SETTINGS={"hang":"line-a"}`. */
  settings: JSON.parse(process.env['LINE_SETTINGS'] ?? '{}') as LineSettings & Record<string, unknown>,
  fit: fitLine,
};
export default trainable;

async function fitLine(
  task: TrainingTask,
  folder: string,
  { onProgress }: { onProgress(done: number): void },
): Promise<FittedModel> {
  const settings = task.settings as LineSettings;
  if (settings.journal) await appendFile(settings.journal, `${task.model}\n`);
  await misbehave(task.model, settings);
  const random = seededRandom(JSON.parse(await readFile(join(folder, 'seed.json'), 'utf8')));
  const x = Float64Array.from({ length: ROWS }, () => Math.fround(random() * 10));
  const y = x.map((value) => 2 * value + random() - 0.5);
  onProgress(0.5);
  if (settings.commandMiB) await command(settings.commandMiB);
  if (settings.sleepMs) await new Promise((resolve) => setTimeout(resolve, settings.sleepMs));
  const slope = Math.fround(
    slopeOf(x.subarray(HELD_OUT), y.subarray(HELD_OUT)) +
      (settings.bias ?? 0) -
      (settings.poor === task.model ? 1.5 : 0),
  );
  const held = { x: x.slice(0, HELD_OUT), target: y.slice(0, HELD_OUT) };
  const fitted = held.x.map((value) => value * slope);
  const sample = { datatype: 'FP32' as const, shape: [2, 1] };
  return {
    onnx: lineModel(slope),
    input: 'x',
    output: 'y',
    details: {
      samples: [
        {
          inputs: { x: { ...sample, data: [1, Number.NaN] } },
          outputs: { y: { ...sample, data: [slope, Number.NaN] } },
          tolerance: { abs: 1e-5, rel: 1e-4 },
        },
      ],
      training: { rows: ROWS - HELD_OUT },
    },
    heldOut: {
      rows: HELD_OUT,
      columns: 1,
      features: Float32Array.from(held.x),
      target: held.target,
      naive: held.x,
      fitted,
    },
    report: { slope },
  };
}

/** Holds the memory for a moment, as programs that fit do. */
async function command(mebibytes: number): Promise<void> {
  const code = `const held = Buffer.alloc(${mebibytes} * 2 ** 20, 1); setTimeout(() => held.length, 400);`;
  await runToEnd([process.execPath, '--eval', code], { timeoutMs: 60_000 });
}

async function misbehave(model: string, { hang, crash, poison, failOnce }: LineSettings): Promise<void> {
  if (hang === model) for (;;);
  if (crash === model) process.abort();
  if (poison === model) throw new KedgeError('data-invalid', `The history of ${model} holds no number.`);
  if (failOnce && (await readFile(failOnce).catch(() => undefined)) === undefined) {
    await writeFile(failOnce, '');
    throw new Error('It fails once.');
  }
}

function slopeOf(x: Float64Array, y: Float64Array): number {
  const [xy, xx] = [x.reduce((sum, value, at) => sum + value * y[at]!, 0), x.reduce((sum, v) => sum + v * v, 0)];
  return xy / xx;
}

export function lineModel(slope: number): Uint8Array {
  return encodeModel({
    inputs: [{ name: 'x', type: 'float', dims: ['n', 1] }],
    outputs: [{ name: 'y', type: 'float', dims: ['n', 1] }],
    initializers: [{ name: 'slope', type: 'float', dims: [1], data: [slope] }],
    nodes: [{ type: 'Mul', inputs: ['x', 'slope'], outputs: ['y'] }],
  });
}

/** For `KEDGE_TRAINER`, and orders. */
export const LINE_MODULE = import.meta.url;
