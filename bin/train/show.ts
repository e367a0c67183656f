import { systemClock } from '../../platform/clock.ts';
import type { Run } from '../../trainer/plan/task.ts';
import type { TaskQueue, TaskStatus } from '../../trainer/queue/task-queue.ts';
import type { ModelReport, RunReport } from '../../trainer/run/report.ts';
import { reportKey } from '../../trainer/run/staging.ts';
import { sizeText, table } from '../bucket.ts';
import type { Context } from '../command.ts';
import { progressOn } from '../progress.ts';

const POLL_MS = 500;

/** Shows how far a run is while `work` goes on. What the queue does not answer is not shown. */
export async function showing<T>(context: Context, queue: TaskQueue, run: Run, work: () => Promise<T>): Promise<T> {
  const done = new AbortController();
  const progress = progressOn(context.err, systemClock);
  const watching = (async () => {
    while (!done.signal.aborted) {
      const counts = await queue.counts(run).catch(() => undefined);
      if (counts) {
        const { total } = counts;
        const failed = counts.failed > 0 ? `, ${counts.failed} failed` : '';
        const unit = `models, ${counts.active} under way${failed}`;
        progress.show({ phase: 'fitting', bytes: counts.done + counts.failed, totalBytes: total, unit });
      }
      await systemClock.sleep(POLL_MS, done.signal);
    }
  })();
  try {
    return await work();
  } finally {
    done.abort();
    await watching;
    progress.end();
  }
}

export function reportText(report: RunReport, url: string): string {
  const head = ['MODEL', 'WHY', 'OUTCOME', 'LOSS', 'NAIVE', 'CHAMPION', 'TIME', 'MEMORY'];
  const text = table(head, report.models.map(rowOf));
  const notes = report.models.filter(({ message }) => message).map(({ model, message }) => `${model}: ${message}\n`);
  const { cost, outcomes } = report;
  const counts = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  const sum = `Run ${report.run}: ${counts.join(', ')}. Fitting took ${seconds(cost.ms)} in all, and at most ${sizeText(cost.peakBytes)} at once.`;
  return `${text}${notes.join('')}${sum}\n${url}/${reportKey(report.run)} has all of it.\n`;
}

function rowOf({ model, reason, outcome, version, forced, gate, cost }: ModelReport): string[] {
  const result = version === undefined ? outcome : `version ${version}${forced ? ' (forced)' : ''}`;
  const { losses } = gate ?? {};
  return [
    model,
    reason,
    result,
    number(losses?.challenger),
    number(losses?.naive),
    number(losses?.champion),
    cost ? seconds(cost.ms) : '',
    cost ? sizeText(cost.peakBytes) : '',
  ];
}

export function statusText(run: Run, tasks: readonly TaskStatus[]): string {
  const reasons = new Map(run.tasks.map(({ model, reason }) => [model, reason]));
  const rows = tasks.map(({ model, state, attempts, progress, failure }) => [
    model,
    reasons.get(model)!,
    state === 'active' ? `active, ${Math.floor(progress * 100)} %` : state,
    String(attempts),
    failure ? `${failure.code}: ${failure.message}` : '',
  ]);
  const head = ['MODEL', 'WHY', 'STATE', 'FAILURES', ''];
  return `Run ${run.id}, ${run.mode}, planned by ${run.by} at ${run.createdAt}\n${table(head, rows)}`;
}

const number = (value: number | undefined): string => (value === undefined ? '' : String(Number(value.toPrecision(4))));
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
