import { chooseActive, isRetired, namedVersions, readyVersions } from '../../contract/rollout.ts';
import type { ModelView, PolicyOptions, VersionView } from './policy.ts';

/** What of a model should be loaded, as far as its rollout and its states tell. Pure. */
export interface Wanted {
  /** To be held ready, the most urgent first. */
  versions: VersionView[];
  /**
   * Of a lazy model: to be held ready only once somebody asks for them. A request without a version wakes `target`; one that names a
   * version wakes that.
   */
  asleep: VersionView[];
  /** The version number that should answer unversioned requests once everything wanted is loaded. */
  target: number | undefined;
}

/**
 * Which versions are wanted: what {@link readyVersions} says of those that can serve. A version that failed or keeps killing its
 * process takes nobody's place. Of a lazy model only those are wanted that somebody waits for or that are loaded, and the
 * target if any version of the model is loaded: a model that is in use rolls forward like any other.
 */
export function chooseWanted(view: ModelView, options: PolicyOptions): Wanted {
  const { rollout, versions } = view;
  const able = versions.filter((one) => !isRetired(rollout, one.version) && canServe(one));
  const numbers = readyVersions(
    rollout,
    able.map(({ version }) => version),
    { keepReady: options.keepReady, failing: failingOf(able) },
  );
  const chosen = numbers.flatMap((number) => instancesOf(able, number));
  const sound = chosen.filter((one) => isSound(one) || isDue(one, view, options));
  const current = versions.find(({ id }) => id === view.active);
  const target = chooseActive(
    rollout,
    sound.map(({ version }) => version),
    current?.version,
  );
  if (!rollout?.lazy) return { versions: chosen, asleep: [], target };
  const warm = able.some(isServing);
  const isAwake = (one: VersionView): boolean =>
    isServing(one) || isUnderWay(one) || one.demanded === true || (warm && one.version === target);
  return {
    versions: chosen.filter(isAwake),
    asleep: sound.filter((one) => !isAwake(one) && one.vouched),
    target,
  };
}

/** The model answers, or nothing that it wants is on its way: of a lazy one nothing need be, and what failed may take long. */
export function isThrough(view: ModelView, options: PolicyOptions): boolean {
  return view.active !== undefined || !chooseWanted(view, options).versions.some(isPending);
}

/** Only held for a quick way back: neither what should answer, nor asked for by the rollout or a request. */
export function isSpare({ rollout }: ModelView, { target }: Wanted, one: VersionView): boolean {
  return !rollout?.policy && one.version !== target && !one.demanded && !namedVersions(rollout).has(one.version);
}

function instancesOf(able: readonly VersionView[], number: number): VersionView[] {
  const same = able.filter((one) => one.version === number);
  const vouched = same.find((one) => one.vouched);
  const serving = same.find((one) => isServing(one));
  const instances = vouched ? [vouched] : [];
  // Until what is vouched for now can answer, the former content of the same number does.
  if (serving && !(vouched && isServing(vouched))) instances.push(serving);
  return instances;
}

function failingOf(able: readonly VersionView[]): Set<number> {
  const numbers = new Set(able.map(({ version }) => version));
  const sound = new Set(able.filter(isSound).map(({ version }) => version));
  return numbers.difference(sound);
}

/** It answers, or may come to. */
function isSound(one: VersionView): boolean {
  return !one.unfit && one.state !== 'failed';
}

/** Of a failed one: whether it may be tried again now. */
export function isDue(one: VersionView, view: ModelView, options: PolicyOptions): boolean {
  return one.state === 'failed' && options.now >= (one.retryAt ?? 0) && isWorthRetry(one, view, options);
}

export function isWorthRetry(one: VersionView, view: ModelView, { loadRetries }: PolicyOptions): boolean {
  return one.failures <= loadRetries || !view.versions.some((other) => isServing(other) && !other.unfit);
}

/** It can answer, or could at once: what drains because memory is short could not. */
export function isServing({ state, givenUp }: VersionView): boolean {
  return state === 'ready' || (state === 'draining' && !givenUp);
}

export function isUnderWay({ state }: VersionView): boolean {
  return state === 'loading' || state === 'warming';
}

/** It is on its way, and nobody knows yet whether it will serve. */
export function isPending(one: VersionView): boolean {
  return isUnderWay(one) || (one.vouched && (one.state === 'discovered' || one.state === 'released'));
}

function canServe(one: VersionView): boolean {
  return isServing(one) || isPending(one) || (one.vouched && one.state === 'failed');
}
