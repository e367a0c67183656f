import type { Estimator } from '../../contract/estimator.ts';
import type { Tensors } from '../../contract/tensor.ts';
import { COLUMNS, ELEMENTS, encodeValue } from './features.ts';
import { ROW, readHour } from './row.ts';

/** Scooter trips that begin in a zone within an hour. */
const estimator: Estimator = {
  name: 'scooter-demand',
  version: '1.0.0',
  features: COLUMNS.map(({ value: _, ...feature }) => feature),
  row: ROW,

  /** One FP32 tensor `features`, a row for each hour, an element for each of {@link ELEMENTS}. */
  encode(rows) {
    const data = new Float32Array(rows.length * ELEMENTS.length);
    let at = 0;
    rows.forEach((row, index) => {
      const hour = readHour(row, index);
      for (const column of COLUMNS) for (const number of encodeValue(column, column.value(hour))) data[at++] = number;
    });
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
