import { MANIFEST_BEHAVIOR } from '../manifest-behavior.ts';
import { average, external, object, podsMetric, reads, scenario, value } from './parts.ts';
import type { Scenario } from './scenario.ts';

/** More or fewer pods than `spec.replicas`. */
export const ROLLOUTS: readonly Scenario[] = [
  scenario({
    name: 'rolling-update',
    about:
      'Twice a rolling update brings more pods than replicas, some of them slow to answer: what would turn the direction is not done',
    seconds: 900,
    replicas: 6,
    flags: { downscaleStabilizationSeconds: 60 },
    spec: { minReplicas: 2, maxReplicas: 20, metrics: [podsMetric('4')] },
    pods: {
      ready: [[0, 12]],
      drain: 20,
      surge: [
        { from: 100, to: 190, many: 2 },
        { from: 400, to: 520, many: 5 },
      ],
    },
    metrics: [
      reads(
        [
          [0, 24],
          [430, 20],
          [600, 30],
        ],
        {
          silent: [
            { from: 130, to: 170, every: 7 },
            { from: 400, to: 520, every: 3 },
          ],
        },
      ),
    ],
  }),
  scenario({
    name: 'rolling-update-average',
    about: 'An average over status.replicas during a rolling update counts the pods that are too many',
    seconds: 400,
    replicas: 4,
    spec: { minReplicas: 2, maxReplicas: 20, metrics: [external(average('10'))], behavior: MANIFEST_BEHAVIOR },
    pods: { surge: [{ from: 100, to: 200, many: 2 }] },
    metrics: [
      reads([
        [0, 40],
        [130, 60],
        [160, 90],
      ]),
    ],
  }),
  scenario({
    name: 'under-a-quota',
    about:
      'Fewer pods than replicas, and at first none: a value for all cannot be shared among no pods, and is shared among those there are later',
    seconds: 600,
    replicas: 0,
    flags: { downscaleStabilizationSeconds: 30 },
    spec: { maxReplicas: 20, metrics: [object(value('10'))] },
    changes: [{ at: 50, replicas: 3 }],
    pods: {
      most: [
        [0, 0],
        [200, 5],
        [400, 1000],
      ],
    },
    metrics: [
      reads([
        [0, 25],
        [250, 12],
        [350, 10.5],
      ]),
    ],
  }),
];
