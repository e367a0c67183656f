import { describe, expect, it } from 'vitest';
import { readTraces } from './controller/read-traces.ts';
import type { MetricModel, Scenario, Steps } from './controller/scenario.ts';
import { readPolicy } from './manifest.ts';
import { type SimulateOptions, simulate } from './simulate.ts';

/** Runs of the real controller that only have what the simulator has: no faults of single pods, and nothing changed by hand. */
const RUNS = readTraces().filter(({ scenario }) => isPlain(scenario));

function isPlain({ changes, pods, metrics }: Scenario): boolean {
  const faults = [
    changes,
    pods.unready,
    pods.failed,
    pods.surge,
    pods.most.slice(1),
    pods.running.slice(1),
    pods.ready.slice(1),
  ];
  return faults.every((list) => list.length === 0) && pods.serverRequest === 1000 && metrics.every(isPlainMetric);
}

function isPlainMetric({ start, age, window, silent }: MetricModel): boolean {
  return start === 0 && age === 0 && window === 15 && silent.length === 0;
}

function valueAt(steps: Steps, second: number): number {
  return steps.findLast(([from]) => from <= second)?.[1] ?? 0;
}

function optionsOf({ name, hpa, flags, seconds, replicas, pods, metrics }: Scenario): SimulateOptions {
  const { spec, behavior, metrics: wanted } = readPolicy(JSON.stringify(hpa), name, { flags });
  return {
    spec,
    behavior,
    metrics: wanted,
    flags,
    seconds,
    replicas,
    pods: { running: pods.running[0]![1], ready: pods.ready[0]![1], drain: pods.drain },
    load: (second) => valueAt(metrics[0]!.total, second) / 1000,
    signal: (metric, { at }) => {
      const { total, away } = metrics[wanted.indexOf(metric)]!;
      return away.some(([from, to]) => at >= from && at < to) ? undefined : valueAt(total, at);
    },
  };
}

describe('simulated pods and load alone, without anything recorded', () => {
  it.each(RUNS.map((run) => [run.scenario.name, run] as const))(
    '%s: as the real controller did',
    (_, { scenario, syncs }) => {
      const ticks = [...simulate(optionsOf(scenario))];
      expect(ticks.map(({ at, current, desired }) => [at, current, desired])).toEqual(
        syncs.map(({ at, current, desired }) => [at, current, desired]),
      );
      const reasons = ticks.map(({ decision }, index) => [
        decision!.ableToScale,
        // Where the controller does not ask, these stay as they were.
        decision!.scalingActive ?? syncs[index]!.active,
        decision!.scalingLimited ?? syncs[index]!.limited,
      ]);
      expect(reasons).toEqual(syncs.map(({ able, active, limited }) => [able, active, limited]));
    },
  );

  it('are the runs of the table and more', () => {
    const names = RUNS.map(({ scenario }) => scenario.name);
    expect(names).toEqual(
      expect.arrayContaining(['up-and-down', 'up-and-down-behavior', 'outage', 'outage-behavior', 'zero-and-back']),
    );
    expect(names.length).toBeGreaterThanOrEqual(12);
  });
});
