import { readFileSync, writeFileSync } from 'node:fs';
import { meanAbsoluteError, rootMeanSquaredError } from '../../trainer/evaluate/metrics.ts';
import { gbdt } from '../../trainer/fit/gbdt/gbdt.ts';
import type { Table } from '../../trainer/table.ts';
import { type Fitted, readTask } from './task.ts';

/**
 * Fits one task with our fitter, and writes scores and times as one line of JSON.
 *
 *   node --expose-gc bench/fit/ours.ts FOLDER
 */
const { task, columns, target } = readTask(process.argv[2]!);

function tableOf(start: number, end: number): Table {
  return {
    rows: end - start,
    columns: task.columns.map((name, at) => ({ name, kind: 'numeric', values: columns[at]!.subarray(start, end) })),
  };
}

/** Resident bytes, now or at the most since {@link forgetPeak}. */
function resident(what: 'VmRSS' | 'VmHWM'): number | undefined {
  try {
    const [, kilobytes] = new RegExp(`${what}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'))!;
    return Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

/** See proc(5), clear_refs. */
function forgetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Only Linux has it; the peak is not told then.
  }
}

const splits: Fitted['splits'] = [];
let peakBytes: number | undefined;
for (const [trainStart, trainEnd, testStart, testEnd] of task.splits) {
  const training = { table: tableOf(trainStart, trainEnd), target: target.subarray(trainStart, trainEnd) };
  globalThis.gc?.();
  forgetPeak();
  const before = resident('VmRSS');
  const [wall, cpu] = [performance.now(), process.cpuUsage()];
  const fitted = await gbdt.fit(training, {
    settings: { objective: task.objective, ...(task.trees !== undefined && { trees: task.trees }) },
  });
  const used = process.cpuUsage(cpu);
  const seconds = (performance.now() - wall) / 1000;
  const most = resident('VmHWM');
  if (before !== undefined && most !== undefined) peakBytes = Math.max(peakBytes ?? 0, most - before);
  const answered = {
    target: target.subarray(testStart, testEnd),
    answers: await fitted.predict(tableOf(testStart, testEnd)),
  };
  splits.push({
    mae: meanAbsoluteError(answered),
    rmse: rootMeanSquaredError(answered),
    cpuSeconds: (used.user + used.system) / 1e6,
    seconds,
  });
}
process.stdout.write(`${JSON.stringify({ splits, peakBytes } satisfies Fitted)}\n`);
