import { describe, expect, it } from 'vitest';
import { SCENARIOS } from './controller/all.ts';
import { readTraces } from './controller/read-traces.ts';
import { podsOf, type Recorded, samplesOf, type Trace, type TraceSync } from './controller/trace.ts';
import { type Policy, readPolicy } from './manifest.ts';
import { metricNow, type PolicyMetric, type Reading } from './observe.ts';
import { type HpaState, type MetricNow, NEW_HPA, reconcile } from './reconcile.ts';
import { toleranceOf } from './spec.ts';

const TRACES = readTraces();

/** What a sync leaves behind for all to see. */
type Outcome = Pick<TraceSync, 'at' | 'desired' | 'able' | 'active' | 'limited' | 'zero'>;

function outcomeOf({ at, desired, able, active, limited, zero }: Outcome): Outcome {
  return { at, desired, able, active, limited, zero };
}

/**
 * Our function on what the controller saw, with a memory of its own.
 * @param zero what the clock of our function shows when that of the trace shows 0
 */
function replay({ scenario, syncs }: Trace, zero = 0): Outcome[] {
  const { flags } = scenario;
  const policy = readPolicy(JSON.stringify(scenario.hpa), scenario.name, { flags });
  let state: HpaState = NEW_HPA;
  let before: Outcome | undefined;
  return syncs.map((sync) => {
    const [minReplicas, maxReplicas] = sync.bounds;
    const decision = reconcile(state, {
      spec: { ...policy.spec, minReplicas, maxReplicas },
      current: sync.current,
      metrics: policy.metrics.map((_, index) => metricOf(index, policy, scenario, sync)),
      downscaleStabilizationSeconds: flags.downscaleStabilizationSeconds,
      now: zero + sync.at,
    });
    state = decision.state;
    before = {
      at: sync.at,
      desired: decision.desired,
      able: decision.ableToScale,
      active: decision.scalingActive ?? before?.active,
      limited: decision.scalingLimited ?? before?.limited,
      zero: state.scaledToZero,
    };
    return before;
  });
}

function metricOf(index: number, policy: Policy, scenario: Trace['scenario'], sync: TraceSync): MetricNow {
  const metric = policy.metrics[index]!;
  if (!sync.metrics) {
    const asked = () => {
      throw new Error(`at ${sync.at} the controller did not ask for metrics`);
    };
    return { kind: metric.kind, propose: asked };
  }
  return metricNow(metric, readingOf(index, metric, sync.metrics[index]!, scenario, sync), {
    current: sync.current,
    statusReplicas: sync.status,
    pods: podsOf(sync),
    tolerance: toleranceOf(policy.behavior, scenario.flags),
    flags: scenario.flags,
  });
}

function readingOf(
  index: number,
  { kind }: PolicyMetric,
  recorded: Recorded,
  { pods, metrics }: Trace['scenario'],
  sync: TraceSync,
): Reading | undefined {
  if (recorded === null) return undefined;
  if (typeof recorded === 'number') return { total: recorded };
  const { serverRequest: server, loaderRequest: loader } = pods;
  // Of a whole pod all containers must say what they request.
  const request = kind === 'ContainerResource' ? server : loader === undefined ? undefined : server + loader;
  const requests = new Map(request === undefined ? [] : sync.pods.map(([name]) => [name, request] as const));
  return { samples: samplesOf(sync, recorded, metrics[index]!), requests };
}

describe('on what the real controller saw, our function does the same at every sync', () => {
  it.each(TRACES.map((trace) => [trace.scenario.name, trace] as const))('%s', (_, trace) => {
    expect(replay(trace)).toEqual(trace.syncs.map(outcomeOf));
  });

  it('whatever its clock began at', () => {
    for (const trace of TRACES) expect(replay(trace, 1_764_374_400.1)).toEqual(replay(trace));
  });
});

describe('the traces', () => {
  const syncs = TRACES.flatMap((trace) => trace.syncs);

  it('are of the scenarios as they stand; where one changed, or a manifest of ours: bash bench/hpa/controller/record.sh', () => {
    const recorded = new Map(TRACES.map(({ scenario }) => [scenario.name, scenario]));
    for (const scenario of SCENARIOS) expect(recorded.get(scenario.name)).toEqual(JSON.parse(JSON.stringify(scenario)));
    expect(recorded.size).toBe(SCENARIOS.length);
  });

  it('have syncs to the end of their scenarios, and scale', () => {
    for (const { scenario, syncs } of TRACES) {
      expect(syncs.length, scenario.name).toBeGreaterThanOrEqual(scenario.seconds / scenario.flags.syncPeriodSeconds);
    }
    const scaling = TRACES.filter((trace) => trace.syncs.some(({ current, desired }) => current !== desired));
    expect(scaling.length).toBeGreaterThan(30);
  });

  it.each([
    ['able', ['ReadyForNewScale', 'ScaleDownStabilized', 'ScaleUpStabilized', 'SucceededGetScale', 'SucceededRescale']],
    [
      'active',
      [
        'FailedGetContainerResourceMetric',
        'FailedGetExternalMetric',
        'FailedGetObjectMetric',
        'FailedGetPodsMetric',
        'FailedGetResourceMetric',
        'ScalingDisabled',
        'ValidMetricFound',
      ],
    ],
    ['limited', ['DesiredWithinRange', 'ScaleDownLimit', 'ScaleUpLimit', 'TooFewReplicas', 'TooManyReplicas']],
  ] as const)('meet every reason of %s', (condition, reasons) => {
    expect([...new Set(syncs.map((sync) => sync[condition]))].filter(Boolean).sort()).toEqual(reasons);
  });

  it('meet pods in every state', () => {
    const pods = syncs.flatMap((sync) => sync.pods);
    const states = new Set(pods.map(([, phase, ready, , , deleting]) => `${phase} ${ready} ${deleting ?? false}`));
    expect(states).toEqual(
      new Set([
        'Pending false false',
        'Running false false',
        'Running false true',
        'Running true false',
        'Running true true',
        'Failed false false',
      ]),
    );
  });
});
