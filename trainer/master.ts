import { hostname } from 'node:os';
import { KedgeError } from '../contract/errors.ts';
import { isModelName } from '../contract/names.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import type { DriftedFeature } from './evaluate/drift.ts';
import { factsOf, readModels } from './plan/champion.ts';
import { serverCode } from './plan/code.ts';
import { type Mode, modeText, type Planned, planModels, runId } from './plan/plan.ts';
import type { CodeOf, Run, TrainingTask } from './plan/task.ts';
import type { TaskQueue } from './queue/task-queue.ts';
import { readRoster, writeRoster } from './run/staging.ts';
import type { TrainingHistory } from './run/trainable.ts';

export interface PlanRequest {
  store: ObjectStore;
  code: CodeOf;
  mode: Mode;
  /** Opened only where it is asked. */
  history: () => Promise<TrainingHistory>;
  /** Only these. */
  models?: readonly string[] | undefined;
  clock: Pick<Clock, 'now'>;
  signal?: AbortSignal | undefined;
  /** Of the look for drift. */
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/**
 * Which models are to be trained, and why. Where only what is missing is wanted, and somebody planned before, the models that
 * there should be are known from the bucket, and no row of the history is read.
 */
export async function plan(request: PlanRequest): Promise<Planned[]> {
  const { store, code, mode, clock, signal } = request;
  const wanted = await modelsWanted(request);
  const found = await readModels(store, wanted, serverCode(code), signal);
  const facts = new Map([...found].map(([model, entry]) => [model, factsOf(entry)]));
  // Where everything is trained anyway it is not asked for.
  const drifted =
    mode.kind === 'drifted' || mode.kind === 'stale' ? await driftedOf(request, wanted, found) : undefined;
  return planModels(wanted, facts, { mode, now: clock.now(), ...(drifted && { drifted }) });
}

async function modelsWanted({ store, code, mode, history, models, signal }: PlanRequest): Promise<readonly string[]> {
  if (models) return models.map(checkName);
  const known = mode.kind === 'ensure' ? await readRoster(store, code.estimator, signal) : undefined;
  if (known) return known;
  const asked = (await (await history()).models(signal)).map(checkName);
  if (asked.length === 0) {
    throw new KedgeError('data-invalid', 'The history names nothing to train: it is empty. Fill it first.');
  }
  await writeRoster(store, code.estimator, asked, signal);
  return asked;
}

function checkName(model: string): string {
  if (isModelName(model)) return model;
  throw new KedgeError('name-invalid', `'${model}' cannot be the name of a model.`);
}

async function driftedOf(
  { history, clock, signal, onProgress }: PlanRequest,
  wanted: readonly string[],
  found: Awaited<ReturnType<typeof readModels>>,
): Promise<Map<string, DriftedFeature[]>> {
  const opened = await history();
  if (!opened.drifted) return new Map();
  const questions = wanted.flatMap((model) => {
    const baseline = found.get(model)?.champion?.manifest.baseline;
    return baseline ? [{ model, baseline }] : [];
  });
  return opened.drifted(questions, { to: isoTime(clock.now()), signal, onProgress });
}

export interface StartRequest {
  queue: TaskQueue;
  code: CodeOf;
  mode: Mode;
  force: boolean;
  planned: readonly Planned[];
  settings: Readonly<Record<string, unknown>>;
  clock: Pick<Clock, 'now'>;
  random: () => number;
}

export interface Started {
  run: Run;
  /** It was open already: another master began it. */
  joined: boolean;
  /** Planned here, and not in the run that is open. */
  notInRun: string[];
}

/** Puts what was planned on the queue as one run; or joins the run that is open. Killed anywhere, another goes on with it. */
export async function startRun(request: StartRequest): Promise<Started> {
  const { queue, planned } = request;
  const { run, joined } = await queue.openRun(runOf(request));
  const models = new Set(run.tasks.map(({ model }) => model));
  return { run, joined, notInRun: planned.map(({ model }) => model).filter((model) => !models.has(model)) };
}

function runOf({ code, mode, force, planned, settings, clock, random }: StartRequest): Run {
  const now = clock.now();
  const to = isoTime(now);
  const tasks = planned.map(
    (one): TrainingTask => ({ ...one, code, window: { to }, settings, seed: seedOf(one.model) }),
  );
  return { id: runId(now, random()), createdAt: to, by: hostname(), mode: modeText(mode), force, tasks };
}

/** Of its name, so that a model has the same one each time (FNV-1a, 32 bits). */
function seedOf(model: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(model)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
