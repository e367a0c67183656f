import { join } from 'node:path';
import { KedgeError } from '../../contract/errors.ts';
import estimator from '../../examples/scooter-demand/estimator.ts';
import { silentLog } from '../../platform/log.ts';
import { AnswerHost, requestIn } from '../../trainer/gate/answers.ts';
import type { Prediction, Row } from './client.ts';
import type { DayError } from './forecast.ts';
import type { Walk } from './walk.ts';

/** Of a forecast: what 32-bit floats may be off by. */
const TOLERANCE = 1e-4;
/** A single day may be unlike all others, and be forecast worse than by the rule of thumb; from wrong rows, or none, it is off by far more. */
const MOST_OF_NAIVE = 2.5;
const LEAST_HOURS = 12;

/** Holds what the server answered against the published file, run here. @throws KedgeError `internal` for an answer that is wrong */
export async function checkAnswers(
  { bucketDir, clock, signal }: Walk,
  model: string,
  rows: readonly Row[],
  { trips, version }: Prediction,
): Promise<void> {
  if (version !== '1') throw new KedgeError('internal', `${model} was answered by version ${version} and not by 1.`);
  const request = await requestIn(join(bucketDir, model, version), `${model}/${version}`);
  const features = estimator.encode(rows).get('features')!;
  const host = new AnswerHost({ clock, log: silentLog, signal });
  try {
    const { inputs, outputs } = request.signature;
    const columns = features.shape[1]!;
    const wanted = await host.answersOf(
      request,
      { rows: rows.length, columns, features: features.data as Float32Array },
      { input: inputs[0]!.name, output: outputs[0]!.name },
    );
    for (const [index, value] of wanted.entries()) {
      const answer = trips[index] ?? Number.NaN;
      if (Math.abs(answer - Math.max(0, value)) <= TOLERANCE * (1 + Math.abs(value))) continue;
      throw new KedgeError('internal', `${model} answers row ${index} with ${answer}; its file says ${value}.`);
    }
    if (trips.length !== rows.length)
      throw new KedgeError('internal', `${model} answers ${rows.length} rows with ${trips.length} forecasts.`);
  } finally {
    await host.end();
  }
}

/** @throws KedgeError `internal` where the models are no use; of a day that the sensors missed too much of, nothing is said */
export function checkErrors(errors: readonly DayError[]): void {
  if (errors.some(({ hours }) => hours < LEAST_HOURS)) return;
  const sum = (value: (error: DayError) => number): number =>
    errors.reduce((total, error) => total + value(error) * error.hours, 0);
  const part = sum(({ model }) => model) / sum(({ naive }) => naive);
  if (part <= MOST_OF_NAIVE) return;
  throw new KedgeError('internal', `The forecasts are off by ${part.toFixed(2)} times as much as the rule of thumb.`);
}
