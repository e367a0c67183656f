import { chooseActive, isRetired, type Rollout } from '../../contract/rollout.ts';
import type { VersionState } from './states.ts';

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
  | { do: 'load'; id: string }
  /** Take it back from draining. */
  | { do: 'resume'; id: string }
  | { do: 'activate'; id: string | undefined }
  | { do: 'drain'; id: string }
  /** Drop what is left of it: the catalog does not offer it and nothing of it runs. */
  | { do: 'forget'; id: string };

/**
 * What to do next for one model. Pure and idempotent: asked again before anything changed, it answers the same. After the
 * availability-preserving policy of TensorFlow Serving (tensorflow_serving/core/availability_preserving_policy.h):
 *
 * - Wanted are the pinned version and the newest ones, `keepReady` in all, so that a rollback or a request for the version
 *   before finds it ready. A version whose load fails takes nobody's place.
 * - Load before unload: a version that is not wanted any more goes once all that are wanted have loaded or failed to. The
 *   active one never goes before another took over.
 * - Active is what `chooseActive` says of those that are ready. While a pinned version has not been tried yet, nothing else
 *   becomes active in its place.
 * - What the catalog does not show any more stays: absence is no news. Only the rollout retires.
 */
export function nextActions(view: ModelView, options: PolicyOptions): Action[] {
  const { rollout } = view;
  const alive = view.versions.filter(({ version }) => !isRetired(rollout, version));
  const wanted = chooseWanted(alive, view, options.keepReady);
  const serving = alive.filter(isServing);
  const active = nextActive(view, alive, serving);
  const settled = !wanted.some(isPending);

  const actions: Action[] = [];
  for (const one of wanted) if (mayLoad(one, view, options)) actions.push({ do: 'load', id: one.id });
  for (const one of view.versions) {
    const needed = one.id === active?.id || wanted.includes(one);
    if (one.state === 'draining' && needed) actions.push({ do: 'resume', id: one.id });
  }
  if (active?.id !== view.active) actions.push({ do: 'activate', id: active?.id });
  for (const one of view.versions) {
    if (one.state !== 'ready' || one.id === active?.id || wanted.includes(one)) continue;
    if (settled || isRetired(rollout, one.version)) actions.push({ do: 'drain', id: one.id });
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

function chooseWanted(alive: readonly VersionView[], { rollout }: ModelView, keepReady: number): VersionView[] {
  const numbers = [...new Set(alive.filter((one) => canServe(one)).map(({ version }) => version))];
  numbers.sort((a, b) => Number(b === rollout?.pin) - Number(a === rollout?.pin) || b - a);
  const wanted: VersionView[] = [];
  let kept = 0;
  for (const number of numbers) {
    if (kept >= keepReady) break;
    const same = alive.filter((one) => one.version === number && canServe(one));
    const vouched = same.find((one) => one.vouched);
    const serving = same.find((one) => isServing(one));
    if (vouched) wanted.push(vouched);
    // Until what is vouched for now can answer, the former content of the same number does.
    if (serving && !(vouched && isServing(vouched))) wanted.push(serving);
    if (serving || vouched?.state !== 'failed') kept += 1;
  }
  return wanted;
}

function nextActive(
  view: ModelView,
  alive: readonly VersionView[],
  serving: readonly VersionView[],
): VersionView | undefined {
  const { rollout } = view;
  const current = view.versions.find(({ id }) => id === view.active);
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
  if (one.state === 'discovered' || one.state === 'released') return true;
  return one.state === 'failed' && options.now >= (one.retryAt ?? 0) && isWorthRetry(one, view, options);
}

function isWorthRetry(one: VersionView, view: ModelView, { loadRetries }: PolicyOptions): boolean {
  return one.failures <= loadRetries || !view.versions.some((other) => isServing(other));
}

function isServing({ state }: VersionView): boolean {
  return state === 'ready' || state === 'draining';
}

/** It is on its way, and nobody knows yet whether it will serve. */
function isPending({ state, vouched }: VersionView): boolean {
  return state === 'loading' || state === 'warming' || (vouched && (state === 'discovered' || state === 'released'));
}

function canServe(one: VersionView): boolean {
  return isServing(one) || isPending(one) || (one.vouched && one.state === 'failed');
}

/** Nothing of it is loaded or being loaded. */
function isOver({ state }: VersionView): boolean {
  return state === 'discovered' || state === 'refused' || state === 'failed' || state === 'released';
}
