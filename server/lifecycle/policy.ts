import { chooseActive, isRetired, type Rollout } from '../../contract/rollout.ts';
import type { VersionState } from './states.ts';
import { chooseWanted, isDue, isPending, isServing, isSpare, isUnderWay, isWorthRetry } from './wanted.ts';

/** One version as the policy sees it. */
export interface VersionView {
  /** Unique; two contents of one version number (a volume was replaced) have two. */
  id: string;
  version: number;
  state: VersionState;
  /** The catalog offers exactly this one now. What is not vouched for stays served, and is not loaded anew. */
  vouched: boolean;
  /** Failed loads one after another. */
  failures: number;
  /** Of a failed one: when it may be tried again, milliseconds since the epoch. */
  retryAt?: number | undefined;
  /** It keeps killing its process: another one answers if there is one. */
  unfit?: boolean;
  /** A request waits for it. */
  demanded?: boolean;
  /** It drains because memory is short, and is not taken back. */
  givenUp?: boolean;
}

export interface ModelView {
  rollout: Rollout | undefined;
  /** Id of the version that answers unversioned requests. */
  active: string | undefined;
  versions: readonly VersionView[];
}

export interface PolicyOptions {
  /** Milliseconds since the epoch. */
  now: number;
  /** How many of the newest versions are held ready. */
  keepReady: number;
  /** Failures after which a load is not tried again while another version of the model answers. */
  loadRetries: number;
}

export type Action =
  /** `spare`: for a quick way back alone; it takes memory from nobody. */
  | { do: 'load'; id: string; spare: boolean }
  /** Take it back from draining. */
  | { do: 'resume'; id: string }
  | { do: 'activate'; id: string | undefined }
  | { do: 'drain'; id: string }
  /** It keeps killing its process, and another one answers. */
  | { do: 'fail'; id: string }
  /** Drop what is left of it: the catalog does not offer it and nothing of it runs. */
  | { do: 'forget'; id: string };

/**
 * What to do next for one model. Pure and idempotent: asked again before anything changed, it answers the same. After the
 * availability-preserving policy of TensorFlow Serving (tensorflow_serving/core/availability_preserving_policy.h):
 *
 * - Wanted are the versions that the rollout asks for, else the pinned one and the newest, `keepReady` in all, so that a rollback or
 *   a request for the version before finds it ready. A version whose load fails takes nobody's place. A lazy model is loaded
 *   when somebody asks for it ({@link chooseWanted}).
 * - Load before unload: a version that is not wanted any more goes once all that are wanted have loaded or failed to. The
 *   active one never goes before another took over.
 * - Active is what `chooseActive` says of those that are ready. While a pinned version has not been tried yet, nothing else
 *   becomes active in its place.
 * - A version that keeps killing its process makes way for another that can answer, and fails once that one does. Where there
 *   is none it stays: now and then an answer is better than none.
 * - What the catalog does not show any more stays: absence is no news. Only the rollout retires.
 */
export function nextActions(view: ModelView, options: PolicyOptions): Action[] {
  const { rollout } = view;
  const wanted = chooseWanted(view, options);
  const alive = view.versions.filter((one) => !isRetired(rollout, one.version) && !wanted.asleep.includes(one));
  const active = nextActive(view, alive);
  const settled = !wanted.versions.some(isPending);

  const actions: Action[] = [];
  for (const one of wanted.versions) {
    if (mayLoad(one, view, options)) actions.push({ do: 'load', id: one.id, spare: isSpare(view, wanted, one) });
  }
  for (const one of view.versions) {
    const needed = one.id === active?.id || wanted.versions.includes(one);
    if (one.state === 'draining' && !one.givenUp && needed) actions.push({ do: 'resume', id: one.id });
  }
  if (active?.id !== view.active) actions.push({ do: 'activate', id: active?.id });
  for (const one of view.versions) {
    if (one.state !== 'ready' || one.id === active?.id) continue;
    const unwanted = !wanted.versions.includes(one) && (settled || isRetired(rollout, one.version));
    if (unwanted) actions.push({ do: 'drain', id: one.id });
    else if (one.unfit && active && !active.unfit) actions.push({ do: 'fail', id: one.id });
  }
  for (const one of view.versions) {
    if (!one.vouched && isOver(one) && one.id !== active?.id) actions.push({ do: 'forget', id: one.id });
  }
  return actions;
}

/** When {@link nextActions} will have more to do although nothing changes but the time. */
export function nextRetry(view: ModelView, options: PolicyOptions): number | undefined {
  const times = view.versions
    .filter((one) => one.vouched && one.state === 'failed' && isWorthRetry(one, view, options))
    .map((one) => one.retryAt ?? options.now)
    .filter((time) => time > options.now);
  return times.length === 0 ? undefined : Math.min(...times);
}

/**
 * What a request may wake of a lazy model: the id that an unversioned one wakes, unless something answers already, and the ids that
 * one with a version does. What is on its way already is waited for.
 */
export function wakeable(
  view: ModelView,
  options: PolicyOptions,
): { target: string | undefined; ids: ReadonlySet<string> } {
  if (!view.rollout?.lazy) return { target: undefined, ids: new Set() };
  const { versions, asleep, target } = chooseWanted(view, options);
  const wakes = [...asleep, ...versions.filter((one) => one.vouched && (isUnderWay(one) || one.demanded === true))];
  return { target: wakes.find(({ version }) => version === target)?.id, ids: new Set(wakes.map(({ id }) => id)) };
}

function nextActive(view: ModelView, alive: readonly VersionView[]): VersionView | undefined {
  const { rollout } = view;
  const current = view.versions.find(({ id }) => id === view.active);
  const sound = alive.filter((one) => isServing(one) && !one.unfit);
  const serving = sound.length > 0 ? sound : alive.filter(isServing);
  const currentServes = current !== undefined && serving.includes(current);
  const able = serving.map(({ version }) => version);
  const pending = alive.filter((one) => one.vouched && isPending(one));
  const pinPending = rollout?.pin !== undefined && pending.some(({ version }) => version === rollout.pin);
  if (!currentServes && pinPending && !able.includes(rollout.pin!)) return stay(current);

  const chosen = chooseActive(rollout, able, currentServes ? current.version : undefined);
  // A retired version answers on for as long as another one is on its way.
  if (chosen === undefined) return pending.length > 0 ? stay(current) : undefined;
  const instances = serving.filter(({ version }) => version === chosen);
  return (
    instances.find((one) => one.vouched) ?? (currentServes && instances.includes(current) ? current : instances[0])
  );
}

/** The one that answers now goes on, retired or not. */
function stay(current: VersionView | undefined): VersionView | undefined {
  return current && isServing(current) ? current : undefined;
}

function mayLoad(one: VersionView, view: ModelView, options: PolicyOptions): boolean {
  if (!one.vouched) return false;
  return one.state === 'discovered' || one.state === 'released' || isDue(one, view, options);
}

/** Nothing of it is loaded or being loaded. */
function isOver({ state }: VersionView): boolean {
  return state === 'discovered' || state === 'refused' || state === 'failed' || state === 'released';
}
