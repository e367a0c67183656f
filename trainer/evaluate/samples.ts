import type { Sample } from '../../contract/manifest.ts';
import type { Fitted } from '../fit/fitter.ts';
import { rowMajor, type Table } from '../table.ts';

export interface SampleOptions {
  /** Rows of the sample. Default 8. */
  rows?: number;
}

/** Of the largest answer, and of each: what 32-bit floats on another machine may be off by. */
const TOLERANCE = { abs: 1e-6, rel: 1e-4 };

/**
 * A request and the answer it must give, for the gate that a version passes before it serves: rows whose answers are spread from the lowest to the highest,
 * the answers by the fitter itself and not by the exported file.
 * @param from the rows to choose from
 */
export async function samplesOf(
  fitted: Fitted,
  table: Table,
  from: Uint32Array,
  { rows: wanted = 8 }: SampleOptions = {},
): Promise<Sample[]> {
  const answers = await fitted.predict(table, from);
  const order = [...answers.keys()].sort((a, b) => answers[a]! - answers[b]! || a - b);
  const count = Math.min(wanted, order.length);
  if (count === 0) return [];
  const picked = Array.from(
    { length: count },
    (_, at) => order[count === 1 ? 0 : Math.round((at * (order.length - 1)) / (count - 1))]!,
  );
  const values = picked.map((at) => answers[at]!);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  // An export that was found to be close enough to its fitter must not be refused by its samples.
  const { abs, rel } = fitted.tolerance ?? TOLERANCE;
  const tolerance = { abs: Math.max(abs, TOLERANCE.abs) * largest, rel: Math.max(rel, TOLERANCE.rel) };
  const features = rowMajor(
    table,
    Uint32Array.from(picked, (at) => from[at]!),
  );
  const { input, output } = fitted.names;
  const shape = fitted.answerShape(count);
  const data = shape[1] === 2 ? values.flatMap((value) => [1 - value, value]) : values;
  return [
    {
      inputs: { [input]: { datatype: 'FP32', shape: [count, table.columns.length], data: [...features] } },
      outputs: { [output]: { datatype: 'FP32', shape, data } },
      tolerance,
    },
  ];
}
