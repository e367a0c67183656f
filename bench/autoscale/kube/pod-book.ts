import type { PodRecord } from '../../report/record.ts';
import type { ClusterPod } from './objects.ts';

type State = PodRecord['states'][number]['state'];

/** The lives of pods, from looks at those that are there. Times are those of the looks, as the clocks of a cluster are not this one. */
export class PodBook {
  readonly #pods = new Map<string, { at: number; state: State; why?: string }[]>();

  /** @param pods all that are there now */
  look(pods: readonly ClusterPod[], at: number): void {
    for (const pod of pods) this.#move(pod.metadata.name, stateOf(pod, this.#wasReady(pod.metadata.name)), at);
    const there = new Set(pods.map(({ metadata }) => metadata.name));
    for (const name of this.#pods.keys()) if (!there.has(name)) this.#move(name, { state: 'gone' }, at);
  }

  records(): PodRecord[] {
    return [...this.#pods].map(([name, states]) => ({ name, states: [...states], inFlight: [] }));
  }

  #wasReady(name: string): boolean {
    return this.#pods.get(name)?.some(({ state }) => state === 'ready') ?? false;
  }

  #move(name: string, { state, why }: { state: State; why?: string | undefined }, at: number): void {
    const states = this.#pods.get(name) ?? [];
    this.#pods.set(name, states);
    if (states.at(-1)?.state !== state) states.push({ at, state, ...(why !== undefined && { why }) });
  }
}

/** What a pod is to requests. Pure. @param wasReady whether it was ready before */
export function stateOf(
  { metadata, status = {} }: ClusterPod,
  wasReady: boolean,
): { state: State; why?: string | undefined } {
  const { phase, conditions = [] } = status;
  if (phase === 'Failed' || phase === 'Succeeded') return { state: 'gone', why: phase };
  if (metadata.deletionTimestamp !== undefined) return { state: 'draining' };
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return { state: 'ready' };
  if (wasReady) return { state: 'unready', why: ready?.reason };
  const unscheduled = conditions.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False');
  return { state: 'starting', why: unscheduled?.reason };
}
