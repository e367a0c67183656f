import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringifyJson } from '../../contract/json.ts';
import { firstModel, firstModelDetails } from '../../examples/scooter-demand/first-model.ts';

/** A model with domain rows, of the estimator that comes along. */
export const MODEL = 'scooter-demand';

const ROW = {
  time: '2026-11-23T18:00',
  temperature: 7.5,
  precipitation: 0.4,
  wind: 3,
  trips_day_ago: 40,
  trips_2_days_ago: 43,
  trips_week_ago: 36,
  trips_2_weeks_ago: 38,
  trips_mean_week: 12.5,
  trips_mean_4_weeks: 37,
};

/** Writes it and what belongs into its manifest as the files that a trainer would leave. */
export async function writeModel(dir: string): Promise<{ model: string; details: string }> {
  await mkdir(dir, { recursive: true });
  const [model, details] = [join(dir, 'model.onnx'), join(dir, 'details.json')];
  await writeFile(model, firstModel());
  await writeFile(details, `${stringifyJson(firstModelDetails(ROW), 2)}\n`);
  return { model, details };
}
