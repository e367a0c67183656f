import type { Estimator } from '../../contract/estimator.ts';
import type { Tensors } from '../../contract/tensor.ts';
import { COLUMNS, ELEMENTS, encodeHour } from './features.ts';
import { ROW, readHour } from './row.ts';

/** Scooter trips that begin in a zone within an hour, forecast a day ahead. */
const estimator: Estimator = {
  name: 'scooter-demand',
  version: '2.0.0',
  features: COLUMNS.map(({ value: _, ...feature }) => feature),
  row: ROW,

  /** One FP32 tensor `features`, a row for each hour, an element for each of {@link ELEMENTS}. */
  encode(rows) {
    const data = new Float32Array(rows.length * ELEMENTS.length);
    for (const [index, row] of rows.entries()) encodeHour(readHour(row, index), data, index * ELEMENTS.length);
    return new Map([['features', { datatype: 'FP32', shape: [rows.length, ELEMENTS.length], data }]]);
  },

  /** `{ trips }` for each row: the expected number, never below 0. The model has one output, [n, 1] or [n]. */
  decode(outputs: Tensors, rows) {
    const [output] = outputs.values();
    if (output?.data.length !== rows.length) throw new Error('the model must answer one number for each row');
    return Array.from(output.data as ArrayLike<number>, (trips) => ({ trips: Math.max(0, Number(trips)) }));
  },
};

export default estimator;
