import { systemClock } from '../../platform/clock.ts';
import type { Planned } from '../../trainer/plan/plan.ts';
import type { Run } from '../../trainer/plan/task.ts';
import type { TaskQueue, TaskStatus } from '../../trainer/queue/task-queue.ts';
import { reportKey } from '../../trainer/run/staging.ts';
import type { ModelReport, RunReport } from '../../trainer/run-report.ts';
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

/** How many models are named in notes. */
const NAMED = 8;

/** By which features models drifted. */
export function driftNotes(planned: readonly Planned[]): string[] {
  const drifted = planned.filter(({ drift }) => drift !== undefined);
  const notes = drifted.slice(0, NAMED).map(({ model, drift }) => {
    const features = drift!.map(({ feature, what, psi }) => {
      return `${feature} ${what === 'missing' ? 'in how much of it is missing ' : ''}(PSI ${number(psi)})`;
    });
    return `${model} has drifted: ${features.join(', ')}`;
  });
  return drifted.length > NAMED ? [...notes, `${drifted.length - NAMED} more have drifted`] : notes;
}

/** A run keeps what its master began it with, whatever is asked of one that joins it. */
export function joinText(
  { id, mode, force }: Pick<Run, 'id' | 'mode' | 'force'>,
  asked: { mode: string; force: boolean; notInRun: readonly string[] },
): string {
  const parts = [`another master began the run ${id}; this one joins it.`];
  if (mode !== asked.mode || force !== asked.force) {
    const asForce = force === asked.force ? '' : force ? ' and with --force' : ' and without --force';
    parts.push(`It was begun with --${mode}${asForce}, and goes by that: when it is over, give this command again.`);
  }
  if (asked.notInRun.length > 0) parts.push(`It lacks ${namesOf(asked.notInRun)}.`);
  return parts.join(' ');
}

function namesOf(models: readonly string[]): string {
  return `${models.slice(0, NAMED).join(', ')}${models.length > NAMED ? ` and ${models.length - NAMED} more` : ''}`;
}

/**
 * What to do about models that have no version for this code after a training that was to see to it.
 * @param reports of the runs of this training
 * @param unforced it was asked for force, and joined a run that was begun without
 */
export function lackingText(models: readonly string[], reports: readonly RunReport[], unforced = false): string {
  const outcomes = new Map(reports.flatMap((report) => report.models).map((one) => [one.model, one.outcome]));
  const kept = models.filter((model) => outcomes.get(model) === 'kept-back');
  const others = models.filter((model) => !kept.includes(model));
  const parts = [`${models.length} of the models have no version for this code: servers of it cannot answer for them.`];
  if (kept.length > 0) {
    const again = unforced
      ? '. The run that was joined was begun without --force, and is over now, so give it again'
      : '';
    parts.push(
      `The gate kept back ${namesOf(kept)}: see above why, and mend the history or the trainer; or publish in spite of it, which the manifest then says${again}: kedge train --ensure --force --models ${kept.join(',')}`,
    );
  }
  if (others.length > 0)
    parts.push(`The report says why there is nothing of ${namesOf(others)}; kedge train --ensure tries again.`);
  return parts.join('\n');
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
