import { describe, expect, it } from 'vitest';
import { activate, activatePushed, fallBack, type Poll } from './activation.ts';
import type { Activation } from './keda.ts';
import type { PolicyMetric } from './observe.ts';
import { type SimulatedTick, type SimulateOptions, simulate } from './simulate.ts';

const ACTIVATION: Activation = {
  minReplicas: 0,
  idleReplicas: undefined,
  pollingSeconds: 30,
  cooldownSeconds: 300,
  initialCooldownSeconds: 0,
  active: [{ metric: 's0-prometheus', above: 2_000 }],
  alwaysActive: false,
  fallback: undefined,
};

/** A poll at 1000 s, a trigger having been active at 600 s. */
function pollOf(over: Partial<Activation>, value: number | undefined, rest: Partial<Poll> = {}): Poll {
  return {
    activation: { ...ACTIVATION, ...over },
    current: 3,
    values: new Map([['s0-prometheus', value]]),
    now: 1_000,
    lastActiveAt: 600,
    ...rest,
  };
}

const fallback = { failureThreshold: 2, replicas: 4, behavior: 'static' as const };

describe('a poll of KEDA', () => {
  it.each<[string, Poll, number, number | undefined]>([
    ['wakes what sleeps once the value is above the threshold', pollOf({}, 2_001, { current: 0 }), 1, 1_000],
    ['lets sleep at the threshold itself', pollOf({}, 2_000, { current: 0 }), 0, 600],
    ['wakes to the least', pollOf({ minReplicas: 2, idleReplicas: 0 }, 9_000, { current: 0 }), 2, 1_000],
    ['notes activity, and leaves scaling to the HPA', pollOf({}, 9_000), 3, 1_000],
    ['puts to sleep after the cooldown', pollOf({}, 0), 0, 600],
    ['waits for the cooldown to pass whole', pollOf({}, 0, { lastActiveAt: 700 }), 3, 700],
    ['needs no cooldown where nothing was ever active', pollOf({}, 0, { lastActiveAt: undefined }), 0, undefined],
    ['but the initial one', pollOf({ initialCooldownSeconds: 1_000 }, 0, { lastActiveAt: undefined }), 3, undefined],
    ['goes to the idle number', pollOf({ minReplicas: 2, idleReplicas: 1 }, 0), 1, 600],
    ['stays where there is a least', pollOf({ minReplicas: 2 }, 0), 3, 600],
    ['comes up to a least', pollOf({ minReplicas: 5 }, 0), 5, 600],
    ['does nothing while a trigger fails', pollOf({}, undefined), 3, 600],
    ['does nothing while a trigger fails that has a fallback', pollOf({ fallback }, undefined), 3, 600],
    ['sleeps where the fallback is zero', pollOf({ fallback: { ...fallback, replicas: 0 } }, undefined), 0, 600],
    ['takes CPU for always active', pollOf({ alwaysActive: true }, 0), 3, 1_000],
  ])('%s', (_, poll, desired, lastActiveAt) => {
    expect(activate(poll)).toEqual({ desired, lastActiveAt });
  });
});

describe('a trigger that tells by itself', () => {
  const active = [
    { metric: 's0-prometheus', above: 2_000, pushed: true },
    { metric: 's1-prometheus', above: 0 },
  ];
  it.each<[string, Poll, number, number | undefined]>([
    ['wakes what sleeps', pollOf({ active }, 2_001, { current: 0 }), 1, 1_000],
    ['lets sleep at the threshold itself', pollOf({ active }, 2_000, { current: 0 }), 0, 600],
    ['notes activity, whether another fails or not', pollOf({ active }, 9_000), 3, 1_000],
    ['puts nothing to sleep', pollOf({ active }, 0), 3, 600],
    ['says nothing where KEDA has to ask', pollOf({}, 9_000, { current: 0 }), 0, 600],
    ['says nothing while it fails', pollOf({ active }, undefined, { current: 0 }), 0, 600],
  ])('%s', (_, poll, desired, lastActiveAt) => {
    expect(activatePushed(poll)).toEqual({ desired, lastActiveAt });
  });
});

describe('in place of a trigger that fails', () => {
  const average = { target: { type: 'AverageValue', milli: 4_000 } as const, failures: 3, current: 6, ready: 5 };

  it.each([
    ['static', 16_000],
    ['currentReplicas', 24_000],
    ['currentReplicasIfHigher', 24_000],
    ['currentReplicasIfLower', 16_000],
  ] as const)('%s', (behavior, wanted) => {
    expect(fallBack({ ...fallback, behavior }, average)).toBe(wanted);
  });

  it('a value for all is shared among the pods that are ready', () => {
    expect(fallBack(fallback, { ...average, target: { type: 'Value', milli: 5_000 } })).toBe(4_000);
    expect(fallBack(fallback, { ...average, target: { type: 'Value', milli: 5_000 }, ready: 0 })).toBeUndefined();
  });

  it('the failure is passed on up to the threshold, and where there is no fallback', () => {
    expect(fallBack(fallback, { ...average, failures: 2 })).toBeUndefined();
    expect(fallBack(undefined, average)).toBeUndefined();
  });
});

describe('a ScaledObject, simulated', () => {
  const metric: PolicyMetric = {
    kind: 'External',
    name: 's0-prometheus',
    target: { type: 'AverageValue', milli: 4_000 },
  };
  const spec = { minReplicas: 1, maxReplicas: 10, behavior: undefined };

  function changes(options: Partial<SimulateOptions>): [at: number, replicas: number][] {
    const ticks = [...simulate({ spec, metrics: [metric], load: () => 0, seconds: 1_500, replicas: 1, ...options })];
    const changed = ({ current, desired }: SimulatedTick) => current !== desired;
    return ticks.filter(changed).map(({ at, desired }) => [at, desired]);
  }

  it('sleeps, is woken by a poll, is scaled by the HPA, and is put to sleep', () => {
    const load = (second: number) => (second >= 100 && second < 400 ? 30 : 0);
    expect(changes({ keda: ACTIVATION, load })).toEqual([
      [30, 0],
      [120, 4],
      [135, 8],
      [705, 1],
      // Last active at 390, put to sleep at the first poll more than 300 s later.
      [720, 0],
    ]);
  });

  it('holds what it has while its trigger fails, once KEDA stands in for it', () => {
    const signal: SimulateOptions['signal'] = (_, { at }) => (at < 100 ? 28_000 : undefined);
    const keda: Activation = { ...ACTIVATION, minReplicas: 1, fallback: { ...fallback, replicas: 9 } };
    expect(changes({ keda, signal, replicas: 7 })).toEqual([[135, 9]]);
    expect(changes({ signal, replicas: 7 })).toEqual([]);
  });
});
