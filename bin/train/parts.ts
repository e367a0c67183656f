import { ERRORS, KedgeError } from '../../contract/errors.ts';
import { systemClock } from '../../platform/clock.ts';
import { finishRun } from '../../trainer/finish.ts';
import { plan, type Started, startRun } from '../../trainer/master.ts';
import { modeText, type Planned } from '../../trainer/plan/plan.ts';
import type { Run } from '../../trainer/plan/task.ts';
import { incomplete, jointReport, type RunReport, readReport } from '../../trainer/run-report.ts';
import { runWorker, type WorkerOutcome, workerExit } from '../../trainer/worker.ts';
import { writeJson, writeNotes } from '../bucket.ts';
import { progressOn } from '../progress.ts';
import { modeOf } from './mode.ts';
import type { Setup } from './setup.ts';
import { driftNotes, joinText, lackingText, reportText, showing, statusText } from './show.ts';

/** How often a training that is to see that all models are there plans anew: what another master began may lack some. */
const ROUNDS = 3;

export async function planned({ store, code, history, context }: Setup): Promise<Planned[]> {
  const given = context.values['models'];
  const models = typeof given === 'string' ? given.split(',').map((name) => name.trim()) : undefined;
  const { signal } = context;
  const progress = progressOn(context.err, systemClock);
  const onProgress = ({ done, total }: { done: number; total: number }): void =>
    progress.show({ phase: 'looking for drift', bytes: done, totalBytes: total, unit: 'models' });
  try {
    return await plan({ store, code, history, models, mode: modeOf(context), clock: systemClock, signal, onProgress });
  } finally {
    progress.end();
  }
}

async function start(setup: Setup, models: readonly Planned[]): Promise<Started> {
  const { context, code, trainable } = setup;
  writeNotes(context, driftNotes(models));
  const started = await startRun({
    queue: await setup.queue(),
    code,
    mode: modeOf(context),
    force: isForced(context),
    planned: models,
    settings: trainable.settings ?? {},
    clock: systemClock,
    random: Math.random,
  });
  if (started.joined) {
    const asked = { mode: modeText(modeOf(context)), force: isForced(context), notInRun: started.notInRun };
    writeNotes(context, [joinText(started.run, asked)]);
  }
  return started;
}

function isForced({ values }: Setup['context']): boolean {
  return values['force'] === true;
}

async function work(setup: Setup, run: Run): Promise<WorkerOutcome> {
  const { context, store, module, config, fits, log } = setup;
  const queue = await setup.queue();
  return showing(context, queue, run, () =>
    runWorker({
      queue,
      store,
      module,
      extract: async (task, folder, signal) => (await setup.history()).extract(task, folder, signal),
      clock: systemClock,
      random: Math.random,
      log,
      signal: context.signal,
      fits,
      fitMs: config.fitMs,
      leaseMs: config.leaseMs,
      patienceMs: config.patienceMs,
    }),
  );
}

async function finish(setup: Setup, run: Run): Promise<RunReport> {
  const { context, store, rules, log, config } = setup;
  const { signal } = context;
  const queue = await setup.queue();
  return finishRun(run, {
    queue,
    store,
    rules,
    clock: systemClock,
    random: Math.random,
    log,
    leaseMs: config.leaseMs,
    signal,
  });
}

/** Once for all runs of a training. @returns the exit code: of the worst of them */
function answer({ context, store }: Setup, reports: readonly RunReport[]): number {
  if (context.values['json']) writeJson(context, jointReport(reports));
  else context.out.write(reports.map((report) => reportText(report, store.url)).join('\n'));
  return reports.some((report) => incomplete(report).length > 0) ? ERRORS['training-incomplete'].exit : 0;
}

/** The whole of it: plan, work beside whoever else does, and finish. */
export async function trainAll(setup: Setup): Promise<number> {
  const models = await planned(setup);
  if (models.length === 0) return nothing(setup);
  const rounds: Rounds = { reports: [], unforced: false };
  let exit = 0;
  let stopped: number | undefined;
  try {
    stopped = await trainRounds(setup, models, rounds);
  } finally {
    // What rounds came to before one that broke off is told, too.
    if (rounds.reports.length > 0) exit = answer(setup, rounds.reports);
  }
  if (stopped !== undefined) return stopped;
  if (modeOf(setup.context).kind === 'ensure') await checkEnsured(setup, rounds);
  return exit;
}

interface Rounds {
  /** One for each round. */
  reports: RunReport[];
  /** Force was asked for, and a run was joined that was begun without. */
  unforced: boolean;
}

/** Fills `rounds` as it goes. @returns the exit code of a worker that was told to go */
async function trainRounds(setup: Setup, first: readonly Planned[], rounds: Rounds): Promise<number | undefined> {
  let models = first;
  for (let round = 0; round < ROUNDS && models.length > 0; round += 1) {
    const { run, notInRun } = await start(setup, models);
    rounds.unforced ||= isForced(setup.context) && !run.force;
    const outcome = await work(setup, run);
    if (outcome.ended === 'stopped') return workerExit(outcome, 0);
    rounds.reports.push(await finish(setup, run));
    const lacking = new Set(notInRun);
    models = lacking.size > 0 ? (await planned(setup)).filter(({ model }) => lacking.has(model)) : [];
  }
  return undefined;
}

/** A model without a version for this code cannot be answered by it: whoever deploys next must know. */
async function checkEnsured(setup: Setup, { reports, unforced }: Rounds): Promise<void> {
  const left = (await planned(setup)).map(({ model }) => model);
  if (left.length > 0) throw new KedgeError('training-incomplete', lackingText(left, reports, unforced));
}

export async function trainMaster(setup: Setup): Promise<number> {
  shared(setup, 'master');
  const models = await planned(setup);
  if (models.length === 0) return nothing(setup);
  const { run } = await start(setup, models);
  if (setup.context.values['json']) writeJson(setup.context, run);
  else setup.context.out.write(`Run ${run.id}: ${run.tasks.length} models to train.\n`);
  return 0;
}

export async function trainWorker(setup: Setup): Promise<number> {
  shared(setup, 'worker');
  const { context } = setup;
  const queue = await setup.queue();
  const run = await queue.currentRun();
  if (!run) {
    const none = { run: null, done: 0, failures: 0, failed: 0, ended: 'none' };
    return noRun(setup, none, 'No run is open: there is nothing to do.');
  }
  const outcome = await work(setup, run);
  const failed = outcome.ended === 'drained' ? await failedIn(setup, run) : 0;
  const { done, failures, ended } = outcome;
  if (context.values['json']) writeJson(context, { run: run.id, done, failures, failed, ended });
  else context.out.write(`Run ${run.id}: ${done} tasks done here, ${failures} tries failed, ${ended}.\n`);
  if (failed > 0)
    context.err.write(`kedge: ${failed} tasks of the run failed for good; kedge train status says why.\n`);
  return workerExit(outcome, failed);
}

/** By the queue; by the report where another finished and closed the run meanwhile. */
async function failedIn(setup: Setup, run: Run): Promise<number> {
  const { failed, missing } = await (await setup.queue()).counts(run);
  const report = missing > 0 ? await readReport(setup.store, run.id, setup.context.signal) : undefined;
  return report ? incomplete(report).length : failed;
}

export async function trainFinish(setup: Setup): Promise<number> {
  shared(setup, 'finish');
  const run = await (await setup.queue()).currentRun();
  if (run) {
    const report = await finish(setup, run);
    const exit = answer(setup, [report]);
    const left = incomplete(report).map(({ model }) => model);
    if (report.mode === 'ensure' && left.length > 0)
      throw new KedgeError('training-incomplete', lackingText(left, [report]));
    return exit;
  }
  return noRun(setup, { run: null, models: [] }, 'No run is open: there is nothing to finish.');
}

export async function trainStatus(setup: Setup): Promise<number> {
  shared(setup, 'status');
  const { context } = setup;
  const queue = await setup.queue();
  const run = await queue.currentRun();
  if (!run) return noRun(setup, { id: null, tasks: [] }, 'No run is open.');
  const tasks = await queue.status(run);
  if (context.values['json']) writeJson(context, { ...run, tasks });
  else context.out.write(statusText(run, tasks));
  return 0;
}

function nothing(setup: Setup): number {
  return noRun(setup, { models: [] }, 'There is nothing to train.');
}

function noRun({ context }: Setup, document: object, sentence: string): number {
  if (context.values['json']) writeJson(context, document);
  else context.out.write(`${sentence}\n`);
  return 0;
}

function shared({ config }: Setup, part: string): void {
  if (config.redisUrl) return;
  throw new KedgeError(
    'config-invalid',
    `REDIS_URL is not set: kedge train ${part} is one part of a training on many machines, whose queue is on Redis. On one machine kedge train does all of it.`,
  );
}
