import { MANIFEST_BEHAVIOR } from '../manifest-behavior.ts';
import { average, external, podsMetric, reads, scenario } from './parts.ts';
import type { Scenario } from './scenario.ts';

const outage = {
  seconds: 900,
  replicas: 5,
  metrics: [
    reads(
      [
        [0, 20],
        [700, 2],
      ],
      { away: [[100, 700]] },
    ),
  ],
};

/** Runs that simulate.test.ts has too, there with our own pods: up, down, through an outage, and to zero and back. */
export const TABLE: readonly Scenario[] = [
  scenario({
    name: 'up-and-down',
    about: 'No behavior: at most double or four at each sync, down once the window has passed whole',
    seconds: 900,
    replicas: 1,
    spec: { maxReplicas: 10, metrics: [podsMetric('4')] },
    metrics: [
      reads([
        [0, 3],
        [60, 40],
        [300, 9],
      ]),
    ],
  }),
  scenario({
    name: 'up-and-down-behavior',
    about: 'With behavior: the window ends one sync earlier, and policies bound each step',
    seconds: 900,
    replicas: 2,
    spec: { minReplicas: 2, maxReplicas: 20, metrics: [podsMetric('4')], behavior: MANIFEST_BEHAVIOR },
    metrics: [
      reads([
        [0, 3],
        [60, 70],
        [300, 9],
      ]),
    ],
  }),
  scenario({
    name: 'outage',
    about: 'Metrics away for longer than the window: nothing holds the first good sync back',
    spec: { maxReplicas: 10, metrics: [podsMetric('4')] },
    ...outage,
  }),
  scenario({
    name: 'outage-behavior',
    about: 'Metrics away for longer than the window, with policies that bound the first good sync',
    spec: { maxReplicas: 20, metrics: [podsMetric('4')], behavior: MANIFEST_BEHAVIOR },
    ...outage,
  }),
  scenario({
    name: 'zero-and-back',
    about: 'An External average to zero, from zero and to zero again',
    seconds: 900,
    replicas: 1,
    spec: { minReplicas: 0, maxReplicas: 6, metrics: [external(average('10'))] },
    metrics: [
      reads([
        [0, 0],
        [400, 35],
        [500, 0],
      ]),
    ],
  }),
];
