import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KedgeError, messageOf } from '../contract/errors.ts';
import type { Details } from '../contract/manifest.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import { AnswerHost, requestIn, tryOut } from './gate/answers.ts';
import { championAnswers } from './gate/evidence.ts';
import { type GateRules, judge, type Verdict } from './gate/judge.ts';
import { type Champion, readModels } from './plan/champion.ts';
import { serverCode } from './plan/code.ts';
import type { Run, TrainingTask } from './plan/task.ts';
import type { Lease, TaskQueue, TaskStatus } from './queue/task-queue.ts';
import { FITTED_MODEL, HELD_OUT_FILE } from './run/fit-entry.ts';
import { decodeHeldOut } from './run/held-out.ts';
import { ChampionChanged, FinishLost, publishedByRun, publishOnce } from './run/publish-once.ts';
import { dropStaged, fetchStaged, readStaged, type Staged } from './run/staging.ts';
import type { HeldOut } from './run/trainable.ts';
import { type ModelReport, type RunReport, readReport, reportOf, writeReport } from './run-report.ts';

export interface FinishOptions {
  queue: TaskQueue;
  store: ObjectStore;
  rules: GateRules;
  clock: Clock;
  random: () => number;
  log: Log;
  leaseMs: number;
  signal?: AbortSignal | undefined;
  pollMs?: number;
  onProgress?(progress: { done: number; total: number }): void;
  /** For tests: told before each model. */
  onModel?(model: string): Promise<void>;
}

const POLL_MS = 500;
/** Others that became champion while this was judged, one after the other. */
const RACES = 5;

/**
 * Brings a run to its end: waits until it is drained, and then puts every model through the gate and publishes it, once, whoever
 * runs this and however often. One finishes at a time, by a lease; the others wait for the report.
 *
 * Of one model: handed in -> tried out -> judged against the champion of that moment -> published as the next version, if it still is the
 * champion (else it is judged again) -> reported. Killed anywhere, the next one finds what is published already by its claims.
 * @throws KedgeError `queue-failed` where the run is gone without a report
 */
export async function finishRun(run: Run, options: FinishOptions): Promise<RunReport> {
  const { queue, store, clock, random, signal, pollMs = POLL_MS } = options;
  for (;;) {
    signal?.throwIfAborted();
    const lease = await queue.leaseFinish(run);
    if (lease) {
      const report = await whileHeld(run, lease, options);
      if (report) return report;
      continue;
    }
    if ((await queue.currentRun())?.id !== run.id) {
      const report = await readReport(store, run.id, signal);
      if (report) return report;
      throw new KedgeError(
        'queue-failed',
        `The run ${run.id} is gone from ${queue.place}, and nobody finished it: plan again.`,
      );
    }
    const { missing } = await queue.counts(run);
    if (missing > 0) await queue.repair(run);
    await clock.sleep(pollMs * (0.5 + random()), signal);
  }
}

/** Undefined where the lease was lost on the way. */
async function whileHeld(run: Run, lease: Lease, options: FinishOptions): Promise<RunReport | undefined> {
  const { queue, clock, leaseMs, log, signal } = options;
  const ended = new AbortController();
  const renewing = (async () => {
    while (!ended.signal.aborted) {
      await queue
        .renew(lease)
        .catch((error) => log.debug({ error: messageOf(error) }, 'The finish could not be renewed'));
      await clock.sleep(leaseMs / 3, ended.signal);
    }
  })();
  try {
    const report = await new Finish(run, lease, options).all();
    return (await queue.closeRun(lease)) ? report : undefined;
  } catch (error) {
    if (error instanceof FinishLost) return undefined;
    // Whoever is told to go leaves the finish to others at once.
    await queue.release(lease).catch(() => undefined);
    signal?.throwIfAborted();
    throw error;
  } finally {
    ended.abort();
    await renewing;
  }
}

class Finish {
  readonly #run: Run;
  readonly #lease: Lease;
  readonly #options: FinishOptions;
  readonly #host: AnswerHost;

  constructor(run: Run, lease: Lease, options: FinishOptions) {
    this.#run = run;
    this.#lease = lease;
    this.#options = options;
    this.#host = new AnswerHost(options);
  }

  async all(): Promise<RunReport> {
    try {
      return await this.#all();
    } finally {
      await this.#host.end();
    }
  }

  async #all(): Promise<RunReport> {
    const { queue, store, clock, log, signal, onProgress, onModel } = this.#options;
    const tasks = new Map(this.#run.tasks.map((task) => [task.model, task]));
    const models: ModelReport[] = [];
    for (const status of await queue.status(this.#run)) {
      await onModel?.(status.model);
      signal?.throwIfAborted();
      const report = await this.#model(tasks.get(status.model)!, status);
      log.info({ run: this.#run.id, ...report, gate: undefined, fit: undefined }, 'A model of a run is finished');
      models.push(report);
      onProgress?.({ done: models.length, total: tasks.size });
    }
    if (!(await queue.renew(this.#lease))) throw new FinishLost();
    const report = reportOf(this.#run, models, isoTime(clock.now()));
    await writeReport(store, report, signal);
    for (const { model, outcome } of models) {
      if (outcome === 'published') await dropStaged(store, this.#run.id, model, signal);
    }
    return report;
  }

  async #model(task: TrainingTask, status: TaskStatus): Promise<ModelReport> {
    const { store, signal } = this.#options;
    const { model, reason } = task;
    const report = { model, reason, attempts: status.attempts };
    const staged = await readStaged(store, this.#run.id, model, signal);
    const published = await publishedByRun(store, this.#run.id, model, this.#write);
    const known = staged && { cost: staged.cost, fit: staged.report };
    if (published) return { ...report, ...known, outcome: 'published', ...published };
    if (!staged) {
      const message = status.failure && `${status.failure.code}: ${status.failure.message}`;
      const outcome = status.state === 'failed' ? 'failed' : 'missing';
      return { ...report, outcome, message: message ?? 'Nothing was handed in.' };
    }
    const folder = await mkdtemp(join(tmpdir(), 'kedge-finish-'));
    try {
      await fetchStaged(store, this.#run.id, staged, folder, signal);
      return { ...report, ...known, ...(await this.#gateAndPublish(task, staged, folder)) };
    } catch (error) {
      if (!isVerdict(error)) throw error;
      return { ...report, ...known, outcome: 'refused', message: messageOf(error) };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #gateAndPublish(
    task: TrainingTask,
    staged: Staged,
    folder: string,
  ): Promise<Pick<ModelReport, 'outcome' | 'message' | 'gate' | 'version' | 'digest' | 'forced'>> {
    const { clock, log, signal } = this.#options;
    const request = await requestIn(folder, `${task.model} of ${this.#run.id}`);
    const tried = await tryOut(request, staged.details.samples ?? [], { clock, log, signal });
    if ('refused' in tried) return { outcome: 'refused', message: tried.refused };
    const heldOut = decodeHeldOut(await readFile(join(folder, HELD_OUT_FILE)), staged);
    const challenger = await this.#host.answersOf(request, heldOut, staged);
    for (let race = 0; race < RACES; race += 1) {
      const champion = await this.#champion(task);
      const { gate, unlike } = await this.#judge(task, staged, { heldOut, challenger, champion, runMs: tried.runMs });
      const forced = !gate.passed && this.#run.force && !gate.fatal;
      if (!gate.passed && !forced) {
        return { outcome: 'kept-back', message: gate.reasons.map(({ message }) => message).join(' '), gate };
      }
      try {
        const details = this.#details(task, staged, gate, { forced, unlike });
        const published = await this.#publish(task, join(folder, FITTED_MODEL), details, champion);
        return { outcome: 'published', gate, ...(forced && { forced }), ...published };
      } catch (error) {
        if (!(error instanceof ChampionChanged)) throw error;
        log.info({ model: task.model }, 'Another version came meanwhile: the model is judged again');
      }
    }
    const message = `Others published ${task.model} ${RACES} times while it was judged. Train it again.`;
    return { outcome: 'kept-back', message };
  }

  async #champion({ model, code }: TrainingTask): Promise<Champion | undefined> {
    const { store, signal } = this.#options;
    return (await readModels(store, [model], serverCode(code), signal)).get(model)?.champion;
  }

  async #judge(
    { model, seed }: TrainingTask,
    staged: Staged,
    facts: { heldOut: HeldOut; challenger: Float64Array; champion: Champion | undefined; runMs: number },
  ): Promise<{ gate: Verdict; unlike: string | undefined }> {
    const { store, rules, signal } = this.#options;
    const { heldOut, challenger, champion, runMs } = facts;
    const theirs =
      champion && (await championAnswers(store, model, champion, heldOut, staged, { host: this.#host, signal }));
    const comparable = theirs && 'answers' in theirs ? { version: champion!.version, ...theirs } : undefined;
    const bytes = staged.files.find(({ path }) => path === FITTED_MODEL)!.bytes;
    const gate = judge({ ...heldOut, challenger, champion: comparable, runMs, bytes }, rules, seed);
    return { gate, unlike: theirs && 'unlike' in theirs ? theirs.unlike : undefined };
  }

  /** What the manifest says beside what the fitter told. */
  #details(
    { code, window, reason, drift }: TrainingTask,
    { details }: Staged,
    gate: Verdict,
    { forced, unlike }: { forced: boolean; unlike: string | undefined },
  ): Details {
    const { passed, reasons, losses, loss, rows, champion, gain } = gate;
    return {
      ...details,
      code: { ...code },
      requires: { estimator: `^${code.version}`, ...details.requires },
      training: {
        ...details.training,
        run: this.#run.id,
        reason,
        ...(drift && { drift }),
        window,
        ...(champion !== undefined && { champion }),
        ...(unlike && { notComparedBecause: unlike }),
        gate: { passed, forced, loss, rows, losses, ...(gain && { gain }), reasons: reasons.map(({ code: of }) => of) },
      },
    };
  }

  #publish(task: TrainingTask, source: string, details: Details, champion: Champion | undefined) {
    const { queue, store } = this.#options;
    return publishOnce({
      store,
      write: this.#write,
      run: this.#run.id,
      model: task.model,
      source,
      details,
      allowBreaking: false,
      held: () => queue.renew(this.#lease),
      championHolds: async () => (await this.#champion(task))?.digest === champion?.digest,
    });
  }

  get #write() {
    const { clock, random, signal } = this.#options;
    return { clock, random, signal };
  }
}

/** What is wrong with the model itself; a bucket or queue that is away is no verdict on it. */
function isVerdict(error: unknown): error is KedgeError {
  return error instanceof KedgeError && error.code !== 'bucket-unreachable' && !error.code.startsWith('queue-');
}
