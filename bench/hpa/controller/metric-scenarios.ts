import { average, cpu, external, object, podsMetric, reads, scenario, serverCpu, value } from './parts.ts';
import type { Scenario } from './scenario.ts';

const FAST = { syncPeriodSeconds: 15, downscaleStabilizationSeconds: 60 };

/** Each kind of metric, with pods and samples in every state. */
export const METRICS: readonly Scenario[] = [
  scenario({
    name: 'one-of-two-fails',
    about: 'While one metric fails the other may scale up, and not down',
    seconds: 900,
    replicas: 3,
    flags: FAST,
    spec: { maxReplicas: 12, metrics: [external(average('10')), podsMetric('4')] },
    metrics: [
      reads([[0, 20]], { away: [[100, 600]] }),
      reads([
        [0, 10],
        [150, 30],
        [300, 5],
        [700, 20],
      ]),
    ],
  }),
  scenario({
    name: 'cpu-of-starting-pods',
    about:
      'Pods burn CPU while they start slowly; samples of the start are set aside, also for a window after they are ready',
    seconds: 900,
    replicas: 2,
    flags: FAST,
    spec: { maxReplicas: 12, metrics: [cpu(50)] },
    pods: { running: [[0, 20]], ready: [[0, 35]], serverRequest: 400, loaderRequest: 100 },
    metrics: [
      reads(
        [
          [0, 0.5],
          [60, 2.2],
          [400, 0.3],
        ],
        { start: 900, age: 7, window: 30 },
      ),
    ],
  }),
  scenario({
    name: 'cpu-of-unready-pods',
    about:
      'Once started, a pod that was ready counts although it is not; one that never was does not, for as long as the delay says',
    seconds: 900,
    replicas: 4,
    flags: { ...FAST, cpuInitializationPeriodSeconds: 60, initialReadinessDelaySeconds: 30 },
    spec: { maxReplicas: 12, metrics: [serverCpu(70)] },
    pods: {
      ready: [
        [0, 90],
        [300, 20],
      ],
      unready: [{ from: 200, to: 290, every: 2 }],
    },
    metrics: [
      reads(
        [
          [0, 2.8],
          [45, 5],
          [500, 3],
        ],
        { start: 500, age: 3, window: 20 },
      ),
    ],
  }),
  scenario({
    name: 'cpu-without-request',
    about: 'The loader requests no CPU: the whole pod cannot be measured against its request, and nothing scales',
    seconds: 120,
    replicas: 2,
    spec: { maxReplicas: 6, metrics: [cpu(50)] },
    pods: { serverRequest: 500 },
    metrics: [reads([[0, 4]])],
  }),
  scenario({
    name: 'memory-average',
    about: 'A resource that is not CPU, by its average: pods that are not ready count',
    seconds: 600,
    replicas: 2,
    flags: FAST,
    spec: {
      maxReplicas: 8,
      metrics: [{ type: 'Resource', resource: { name: 'memory', target: average('1k') } }],
    },
    pods: { ready: [[0, 40]] },
    metrics: [
      reads(
        [
          [0, 2000],
          [60, 5200],
          [300, 1500],
        ],
        { start: 400_000 },
      ),
    ],
  }),
  scenario({
    name: 'missing-samples',
    about: 'Every third pod says nothing: it counts as idle on the way up and as on target on the way down',
    seconds: 900,
    replicas: 6,
    flags: FAST,
    spec: { maxReplicas: 20, metrics: [podsMetric('4')] },
    metrics: [
      reads(
        [
          [0, 24],
          [60, 45],
          [300, 30],
          [500, 12],
        ],
        {
          silent: [
            { from: 50, to: 450, every: 3 },
            { from: 520, to: 640, every: 2 },
            { from: 700, to: 760, every: 1 },
          ],
        },
      ),
    ],
  }),
  scenario({
    name: 'missing-cpu-samples',
    about:
      'Missing on a utilization of over a hundred percent: a missing pod counts as on target, in whole thousandths',
    seconds: 700,
    replicas: 5,
    flags: FAST,
    spec: { maxReplicas: 15, metrics: [serverCpu(110)] },
    pods: { serverRequest: 333 },
    metrics: [
      reads(
        [
          [0, 1.8],
          [60, 3.1],
          [300, 1.2],
        ],
        { silent: [{ from: 90, to: 600, every: 3 }] },
      ),
    ],
  }),
  scenario({
    name: 'external-value',
    about: 'One value for all, held against the pods that are ready; at zero the ratio alone counts',
    seconds: 900,
    replicas: 2,
    flags: FAST,
    spec: { minReplicas: 0, maxReplicas: 10, metrics: [external(value('30'))] },
    pods: { ready: [[0, 20]] },
    metrics: [
      reads([
        [0, 30],
        [90, 70],
        [300, 0],
        [600, 95],
        [720, 20],
      ]),
    ],
  }),
  scenario({
    name: 'object-value',
    about:
      'A value of an object, with pods that fail, stop being ready, and drain for longer than a sync: those still count as ready',
    seconds: 900,
    replicas: 3,
    flags: FAST,
    spec: { maxReplicas: 12, metrics: [object(value('100'))] },
    pods: {
      drain: 40,
      unready: [
        { from: 150, to: 240, every: 2 },
        { from: 285, to: 420, every: 3 },
      ],
      failed: [
        { at: 200, pod: 1, until: 400 },
        { at: 205, pod: 0, until: 210 },
      ],
    },
    metrics: [
      reads([
        [0, 100],
        [60, 160],
        [130, 104],
        [300, 60],
        [600, 115],
      ]),
    ],
  }),
  scenario({
    name: 'object-average',
    about: 'An average of an object over status.replicas, beside a metric of pods that draws the other way',
    seconds: 600,
    replicas: 4,
    flags: FAST,
    spec: { minReplicas: 2, maxReplicas: 9, metrics: [object(average('12500m')), podsMetric('4')] },
    metrics: [
      reads(
        [
          [0, 50],
          [100, 90.001],
          [250, 10],
        ],
        { away: [[370, 440]] },
      ),
      reads([
        [0, 16],
        [350, 4],
        [450, 33],
      ]),
    ],
  }),
  scenario({
    name: 'failing-pods',
    about: 'Pods that fail are neither counted nor missed, whatever they were',
    seconds: 400,
    replicas: 4,
    flags: FAST,
    spec: { maxReplicas: 9, metrics: [podsMetric('4')] },
    pods: {
      failed: [
        { at: 50, pod: 0, until: 200 },
        { at: 52, pod: 3, until: 300 },
      ],
    },
    metrics: [
      reads([
        [0, 16],
        [100, 26],
        [250, 8],
      ]),
    ],
  }),
];
