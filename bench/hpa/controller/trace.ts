import type { Pod, PodMetric } from '../pods.ts';
import type { Scenario } from './scenario.ts';

/** A run of the real controller: the scenario in the first line of its file, and in each line after it what the controller saw and did at a sync. */
export interface Trace {
  scenario: Scenario;
  syncs: readonly TraceSync[];
}

export interface TraceSync {
  at: number;
  /** `spec.replicas` before. */
  current: number;
  /** `status.replicas`. */
  status: number;
  /** `spec.replicas` after. */
  desired: number;
  /** Reasons of AbleToScale, ScalingActive and ScalingLimited after the sync; undefined where there is no such condition yet. */
  able?: string;
  active?: string;
  limited?: string;
  /** Whether the condition ScaledToZero holds after the sync. */
  zero: boolean;
  /** In force at this sync. */
  bounds: readonly [minReplicas: number, maxReplicas: number];
  pods: readonly PodRow[];
  /** Undefined where the controller did not ask; in the order of the HPA's metrics else. */
  metrics?: readonly Recorded[];
}

type PodRow = readonly [
  name: string,
  phase: Pod['phase'],
  ready: boolean,
  startedAt: number | null,
  transitionAt: number,
  deleting?: boolean,
];

/** A sum, or a value for each listed pod and null for one without a sample, or null where the API did not answer. */
export type Recorded = number | readonly (number | null)[] | null;

/** What was as at the sync before is left out of a file. */
export function parseTrace(text: string): Trace {
  const [head, ...lines] = text.trimEnd().split('\n');
  const syncs: TraceSync[] = [];
  for (const line of lines) {
    const { pods, bounds } = syncs.at(-1) ?? {};
    syncs.push({ zero: false, pods, bounds, ...(JSON.parse(line) as Partial<TraceSync>) } as TraceSync);
  }
  return { scenario: JSON.parse(head!) as Scenario, syncs };
}

export function podsOf({ at, pods }: TraceSync): Pod[] {
  return pods.map(([name, phase, ready, startedAt, transitionAt, deleting = false]) => ({
    name,
    phase,
    ready,
    deleting,
    startAge: startedAt === null ? undefined : at - startedAt,
    lastTransitionAge: at - transitionAt,
  }));
}

export function samplesOf(
  { pods }: TraceSync,
  values: readonly (number | null)[],
  { age, window }: { age: number; window: number },
): Map<string, PodMetric> {
  const samples = new Map<string, PodMetric>();
  values.forEach((value, index) => {
    if (value !== null) samples.set(pods[index]![0], { value, age, window });
  });
  return samples;
}
