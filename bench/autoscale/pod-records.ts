import type { LocalPod } from '../cluster/pod.ts';
import type { PodRecord } from '../report/record.ts';
import type { Watch } from './signals/watch.ts';
import { rounded } from './syncs.ts';

/**
 * The lives of pods, for a record. What came before the load began is told as of its beginning, and what was over by then is not told.
 * @param zero when the run's second 0 is on the clock
 */
export function podRecords(pods: readonly LocalPod[], watch: Watch, zero: number): PodRecord[] {
  const isThere = ({ states }: LocalPod): boolean => states.at(-1)!.state !== 'gone' || states.at(-1)!.at > zero;
  return pods.filter(isThere).map(({ name, states }) => podRecord(name, states, watch, zero));
}

function podRecord(name: string, states: PodRecord['states'], watch: Watch, zero: number): PodRecord {
  const moved = states.map((one) => ({ ...one, at: rounded(Math.max(0, one.at - zero)) }));
  const before = moved.findLastIndex(({ at }) => at === 0);
  const averages = watch.seriesOf(name)?.averages() ?? [];
  return {
    name,
    states: moved.slice(Math.max(0, before)),
    inFlight: averages
      .filter(([at]) => at >= zero)
      .map(([at, average]) => [rounded(at - zero), rounded(average)] as const),
  };
}

/** Pods that had come to be ready, and did not end with exit code 0 when they were drained: a sentence each. */
export function badExits(pods: readonly LocalPod[]): string[] {
  return pods
    .filter(
      ({ everReady, states, exit }) =>
        everReady && states.some(({ state }) => state === 'draining') && exit?.code !== 0,
    )
    .map(({ name, exit }) => `${name} was drained and ended with ${exit?.signal ?? `exit code ${exit?.code}`}`);
}
