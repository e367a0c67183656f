import type { Any } from '../../manifests/objects.ts';

/** `init` runs to its end before the next; `sidecar` starts before the next and stays; `main` is what the pod is for. */
export type ContainerKind = 'init' | 'sidecar' | 'main';

/** As `ContainerState` of the API. Times are RFC 3339. */
export type ContainerState =
  | { waiting: { reason: string; message?: string } }
  | { running: { startedAt: string } }
  | { terminated: { exitCode: number; signal?: number; reason: string; startedAt: string; finishedAt: string } };

/** What a node knows of a container. */
export interface ContainerView {
  name: string;
  image: string;
  kind: ContainerKind;
  state: ContainerState;
  last?: ContainerState;
  restarts: number;
  /** It runs, and its startup probe has succeeded or it has none. */
  started: boolean;
  /** Its readiness probe says so; or it is started and has none. */
  ready: boolean;
}

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

const exitOf = ({ state }: ContainerView): number | undefined =>
  'terminated' in state ? state.terminated.exitCode : undefined;

/**
 * The phase of a pod. @param stays whether containers are started again whatever they end with @param over no container will be started any more,
 * because all is done or because the pod is being ended
 */
export function phaseOf(containers: readonly ContainerView[], over: boolean): Phase {
  const mains = containers.filter(({ kind }) => kind === 'main');
  if (over) {
    const failed = containers.some((one) => one.kind !== 'sidecar' && exitOf(one) !== 0);
    return failed ? 'Failed' : 'Succeeded';
  }
  return mains.some(({ state, last }) => !('waiting' in state) || last !== undefined) ? 'Running' : 'Pending';
}

/** Times at which a condition changed last, by its type. */
export type Since = Map<string, { status: string; at: string }>;

/** What is patched into the status of a pod. @param now RFC 3339 */
export function statusOf(
  containers: readonly ContainerView[],
  {
    over,
    now,
    since,
    podIP,
    startTime,
  }: { over: boolean; now: string; since: Since; podIP?: string; startTime: string },
): Any {
  const phase = phaseOf(containers, over);
  const initialized = containers.every(
    (one) => one.kind === 'main' || (one.kind === 'init' ? exitOf(one) === 0 : one.started),
  );
  // A sidecar without a readiness probe is ready once it is started, and counts.
  const ready = phase === 'Running' && containers.every((one) => one.kind === 'init' || one.ready);
  const conditions = Object.entries({
    PodScheduled: true,
    Initialized: initialized || phase === 'Running' || phase === 'Succeeded',
    ContainersReady: ready,
    Ready: ready,
  }).map(([type, holds]) => {
    const status = holds ? 'True' : 'False';
    const before = since.get(type);
    if (before?.status !== status) since.set(type, { status, at: now });
    return { type, status, lastTransitionTime: since.get(type)!.at };
  });
  const shown = (kinds: readonly ContainerKind[]): Any[] =>
    containers
      .filter(({ kind }) => kinds.includes(kind))
      .map(({ name, image, state, last, restarts, started, ready: isReady, kind }) => ({
        name,
        image,
        imageID: image,
        state,
        ...(last && { lastState: last }),
        restartCount: restarts,
        started,
        ready: kind === 'init' ? exitOf({ state } as ContainerView) === 0 : isReady,
      }));
  return {
    phase,
    conditions,
    startTime,
    ...(podIP && { podIP, podIPs: [{ ip: podIP }] }),
    initContainerStatuses: shown(['init', 'sidecar']),
    containerStatuses: shown(['main']),
  };
}
