import type { Clock } from '../platform/clock.ts';
import type { Metrics } from '../trainer/evaluate/metrics.ts';
import type { Progress } from '../trainer/fit/fitter.ts';
import type { Report } from '../trainer/fit-table.ts';
import type { TrainingSet } from '../trainer/table.ts';
import { sizeText, table } from './bucket.ts';
import type { Context } from './command.ts';
import type { FitFiles } from './fit-files.ts';

/** What `kedge fit` tells of its model. */

export interface FitReport {
  path: string;
  target: string;
  fitter: string;
  set: TrainingSet;
  report: Report;
  files: FitFiles;
  bytes: number;
}

export function reportText({ path, target, fitter, set, report, files, bytes }: FitReport): string {
  const { columns, evaluation, parity, objective } = report;
  const kinds = columns.filter(({ kind }) => kind === 'categorical').length;
  const lines = [
    `${path}: ${report.rows} rows, ${columns.length - kinds} numbers and ${kinds} categories, target ${target}`,
    `${fitter}, ${objective}${set.times ? ', judged on later rows' : ', judged on rows drawn at random'}`,
    '',
  ];
  if (evaluation) {
    const names = Object.keys(evaluation.metrics);
    const [first] = names;
    const naive = evaluation.baseline === 'mean' ? 'mean' : 'naive';
    const cells = (metrics: Metrics, baseline: Metrics): string[] => [
      ...names.map((name) => numberText(metrics[name]!)),
      numberText(baseline[first!]!),
    ];
    const rows = evaluation.splits.map(({ train, test, metrics, baseline, fitMs }, at) => [
      ...[String(at + 1), String(train), String(test), ...cells(metrics, baseline), `${(fitMs / 1000).toFixed(2)} s`],
    ]);
    const mean = ['mean', '', '', ...cells(evaluation.metrics, evaluation.baselineMetrics), ''];
    lines.push(table(['split', 'train', 'test', ...names, `${first} of ${naive}`, 'fit'], [...rows, mean]));
    const [own, other] = [evaluation.metrics[first!]!, evaluation.baselineMetrics[first!]!];
    if (!(own < other))
      lines.push(`No better than the ${naive} forecast (${first} ${numberText(other)}): it should not be published.\n`);
  }
  lines.push(
    `${files.model}: ${sizeText(bytes)}; onnxruntime answers as the fitter does on ${parity.rows} rows (largest difference ${parity.maxAbs.toExponential(1)})`,
    `${files.report}: all of it\n`,
    `kedge publish ${files.model} --model NAME --details ${files.details}`,
  );
  return `${lines.join('\n')}\n`;
}

function numberText(value: number): string {
  return Number.isFinite(value) ? value.toPrecision(4) : String(value);
}

const DRAW_MS = 100;

/** A line on a terminal that is drawn anew; nothing elsewhere, since the answer tells all of it. */
export function fitProgress(
  err: Context['err'],
  clock: Pick<Clock, 'now'>,
): { show: (part: string, progress: Progress) => void; end: () => void } {
  let next = clock.now() + DRAW_MS;
  let drawn = false;
  return {
    show(part, { done, total, loss }) {
      if (!err.isTTY || clock.now() < next) return;
      next = clock.now() + DRAW_MS;
      err.write(`\r\u001b[K${part}: ${done} of ${total}${loss === undefined ? '' : `, loss ${numberText(loss)}`}`);
      drawn = true;
    },
    end() {
      if (drawn) err.write('\r\u001b[K');
      drawn = false;
    },
  };
}
