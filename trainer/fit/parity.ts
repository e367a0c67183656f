import { KedgeError } from '../../contract/errors.ts';
import type { Table } from '../table.ts';
import type { Fitted, Tolerance } from './fitter.ts';
import { openOnnx } from './onnx-model.ts';

const PARITY: Tolerance = { abs: 1e-6, rel: 1e-5 };

export interface Parity {
  rows: number;
  /** Largest difference, and the largest one relative to the fitter's answer. */
  maxAbs: number;
  maxRel: number;
}

/**
 * Runs an exported model over rows, and compares what it answers with what the fitter does. An exporter that drops a step is
 * found here, before anything is published.
 * @throws KedgeError `fit-failed` that names the first row that differs
 */
export async function checkParity(
  fitted: Fitted,
  table: Table,
  rows?: Uint32Array,
  tolerance: Tolerance = fitted.tolerance ?? PARITY,
): Promise<Parity> {
  const own = await fitted.predict(table, rows);
  const model = await openOnnx(fitted.onnx(), fitted.names, table.columns.length);
  try {
    return compareAnswers(await model.predict(table, rows), own, tolerance, rows);
  } finally {
    await model.release();
  }
}

/** @throws KedgeError `fit-failed` that names the first row that differs; as `rows` has it, where they are given */
export function compareAnswers(
  got: Float64Array,
  own: Float64Array,
  { abs, rel }: Tolerance,
  rows?: Uint32Array,
): Parity {
  let [maxAbs, maxRel] = [0, 0];
  const least = abs * own.reduce((most, answer) => Math.max(most, Math.abs(answer)), 0);
  for (const [at, want] of own.entries()) {
    const answer = got[at]!;
    if (Object.is(answer, want) || answer === want) continue;
    const difference = Math.abs(answer - want);
    // Written so that NaN fails.
    if (!(difference <= least + rel * Math.abs(want))) {
      const row = rows ? rows[at]! : at;
      throw new KedgeError(
        'fit-failed',
        `The exported model answers ${answer} for row ${row} of the table, and the fitter ${want}: the export is not the model that was fitted.`,
      );
    }
    maxAbs = Math.max(maxAbs, difference);
    maxRel = Math.max(maxRel, difference / Math.max(Math.abs(want), least));
  }
  return { rows: own.length, maxAbs, maxRel };
}
