import { describe, expect, it } from 'vitest';
import type { Pod, PodMetric } from './pods.ts';
import {
  MetricUnusable,
  type PodsInput,
  replicasByAverage,
  replicasByPods,
  replicasByUtilization,
  replicasByValue,
} from './replicas.ts';
import { DEFAULT_FLAGS } from './spec.ts';

const HOUR = 3600;

function running(name: string, over: Partial<Pod> = {}): Pod {
  return { name, phase: 'Running', deleting: false, ready: true, startAge: HOUR, lastTransitionAge: HOUR, ...over };
}

/** Pods p0, p1, …; undefined is a pod without a sample. */
function inputOf(values: readonly (number | undefined)[], over: Record<number, Partial<Pod>> = {}): PodsInput {
  const metrics = new Map<string, PodMetric>();
  values.forEach((value, index) => {
    if (value !== undefined) metrics.set(`p${index}`, { value, age: 5, window: 15 });
  });
  return {
    currentReplicas: values.length,
    pods: values.map((_, index) => running(`p${index}`, over[index])),
    metrics,
    tolerance: { up: 0.1, down: 0.1 },
    flags: DEFAULT_FLAGS,
  };
}

describe('replicas by what each pod has', () => {
  it.each([
    ['seven in flight on each of two, wanted four', [7000, 7000], 4],
    ['within a tenth of the target', [4400, 4400, 4400], 3],
    ['just outside of it', [4404, 4404, 4404], 4],
    ['no load at all', [0, 0, 0], 0],
    ['one without a sample counts as idle when it goes up', [8000, 8000, undefined], 4],
    ['one without a sample counts as full when it goes down', [1000, 1000, undefined], 2],
    ['those without a sample never turn the direction', [5000, undefined, undefined], 3],
  ])('%s', (_, values, wanted) => {
    expect(replicasByPods({ ...inputOf(values), target: 4000 }).replicas).toBe(wanted);
  });

  it('counts a running pod that is not ready, except for CPU', () => {
    const starting = { 2: { ready: false, startAge: 10, lastTransitionAge: 10 } };
    const input = { ...inputOf([8000, 8000, 8000], starting), target: 4000 };
    expect(replicasByPods(input).replicas).toBe(6);
    expect(replicasByPods({ ...input, isCpu: true }).replicas).toBe(4);
  });

  it('cannot be used without a sample that counts', () => {
    expect(() => replicasByPods({ ...inputOf([undefined]), target: 1 })).toThrow(MetricUnusable);
    expect(() => replicasByPods({ ...inputOf([5], { 0: { deleting: true } }), target: 1 })).toThrow(MetricUnusable);
  });
});

describe('replicas by utilization', () => {
  it('is the truncated share of what is requested', () => {
    const requests = new Map([0, 1, 2].map((index) => [`p${index}`, 2000]));
    const proposal = replicasByUtilization({ ...inputOf([600, 1000, 1400]), requests, target: 30, isCpu: true });
    expect(proposal).toEqual({ replicas: 5, usage: 50, average: 1000 });
  });

  it('cannot be used where one pod has no request, or what all request is nothing', () => {
    const input = { ...inputOf([600, 600]), target: 30, isCpu: true };
    expect(() => replicasByUtilization({ ...input, requests: new Map([['p0', 2000]]) })).toThrow('p1 has no request');
    const none = new Map([0, 1].map((index) => [`p${index}`, 0]));
    expect(() => replicasByUtilization({ ...input, requests: none })).toThrow('no pod has both');
  });

  it('takes a pod without a sample for full, in whole thousandths', () => {
    const requests = new Map([0, 1, 2].map((index) => [`p${index}`, 333]));
    const input = { ...inputOf([200, 200, undefined]), requests, target: 110, isCpu: true };
    // 200 + 200 + 366 of 999 are 76 %, which three pods bear.
    expect(replicasByUtilization(input).replicas).toBe(3);
  });
});

describe('pods that are alike', () => {
  it('count once for each of them, whichever of them are missing or not ready', () => {
    const names = (samples: readonly (number | undefined)[]) => inputOf(samples);
    const alone = names([9, 9, 9, undefined, undefined, 3]);
    const many = { ...names([9, undefined, 3]) };
    many.pods = many.pods.map((pod, index) => ({ ...pod, many: [3, 2, 1][index]! }));
    for (const target of [2, 4, 8, 12, 20]) {
      const currentReplicas = 6;
      expect(replicasByPods({ ...many, currentReplicas, target })).toEqual(
        replicasByPods({ ...alone, currentReplicas, target }),
      );
    }
  });
});

describe('replicas by one number for all', () => {
  const tolerance = { up: 0.1, down: 0.1 };

  it('cannot share a value among no pods at all', () => {
    const input = { currentReplicas: 3, pods: [], usage: 2000, target: 1000, tolerance };
    expect(() => replicasByValue(input)).toThrow(MetricUnusable);
  });

  it('shares a value among the pods that are ready', () => {
    const pods = [running('a'), running('b', { ready: false }), running('c')];
    expect(replicasByValue({ currentReplicas: 3, pods, usage: 2000, target: 1000, tolerance }).replicas).toBe(4);
  });

  it('starts from zero by the ratio alone', () => {
    expect(replicasByValue({ currentReplicas: 0, pods: [], usage: 2500, target: 1000, tolerance }).replicas).toBe(3);
  });

  it.each([
    [3900, 35, 39],
    [3800, 37, 37],
    [500, 0, 5],
  ])('%s at %s pods, a hundred for each', (usage, statusReplicas, wanted) => {
    expect(replicasByAverage({ statusReplicas, usage, target: 100, tolerance }).replicas).toBe(wanted);
  });
});
