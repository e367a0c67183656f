import { MANIFEST_BEHAVIOR } from '../manifest-behavior.ts';
import { average, external, podsMetric, reads, scenario } from './parts.ts';
import type { Scenario, Steps } from './scenario.ts';

/** Up in two steps and down in two. */
const HILL: Steps = [
  [0, 16],
  [60, 60],
  [150, 120],
  [400, 50],
  [700, 12],
];

/** Tolerances, policies, windows, bounds. */
export const POLICIES: readonly Scenario[] = [
  scenario({
    name: 'tolerance-edges',
    about: 'Exactly on the edge is within, a thousandth beyond is not',
    seconds: 600,
    replicas: 10,
    flags: { downscaleStabilizationSeconds: 30 },
    spec: { maxReplicas: 40, metrics: [podsMetric('1')] },
    metrics: [
      reads([
        [0, 10],
        [60, 11],
        [120, 11.009],
        [180, 11.01],
        [240, 10.8],
        [300, 10.788],
        [400, 9],
        [500, 8.99],
      ]),
    ],
  }),
  scenario({
    name: 'tolerance-by-direction',
    about: 'A tolerance for each direction; 0.57 comes out of its quantity as 570 thousandths, a little more than 0.57',
    seconds: 700,
    replicas: 10,
    spec: {
      maxReplicas: 40,
      metrics: [podsMetric('1')],
      behavior: {
        scaleUp: { tolerance: '0.57' },
        scaleDown: { tolerance: '25m', stabilizationWindowSeconds: 0 },
      },
    },
    metrics: [
      reads([
        [0, 10],
        [60, 15.7],
        [120, 15.71],
        [200, 15.6],
        [260, 15.5],
        [400, 30],
        [500, 25],
        [600, 24.375],
      ]),
    ],
  }),
  scenario({
    name: 'select-least',
    about: 'Of several policies the one that changes least, in both directions',
    seconds: 1_200,
    replicas: 4,
    spec: {
      minReplicas: 2,
      maxReplicas: 40,
      metrics: [podsMetric('4')],
      behavior: {
        scaleUp: {
          selectPolicy: 'Min',
          policies: [
            { type: 'Pods', value: 3, periodSeconds: 30 },
            { type: 'Percent', value: 40, periodSeconds: 45 },
          ],
        },
        scaleDown: {
          selectPolicy: 'Min',
          stabilizationWindowSeconds: 60,
          policies: [
            { type: 'Pods', value: 2, periodSeconds: 60 },
            { type: 'Percent', value: 10, periodSeconds: 15 },
          ],
        },
      },
    },
    metrics: [reads(HILL)],
  }),
  scenario({
    name: 'select-none',
    about: 'Down is switched off, so that nothing is ever taken away',
    seconds: 900,
    replicas: 4,
    spec: {
      maxReplicas: 25,
      metrics: [podsMetric('4')],
      behavior: {
        scaleUp: { policies: [{ type: 'Pods', value: 5, periodSeconds: 60 }] },
        scaleDown: { selectPolicy: 'Disabled' },
      },
    },
    metrics: [reads(HILL)],
  }),
  scenario({
    name: 'select-none-up',
    about: 'Up is switched off',
    seconds: 300,
    replicas: 4,
    spec: {
      maxReplicas: 25,
      metrics: [podsMetric('4')],
      behavior: { scaleUp: { selectPolicy: 'Disabled' }, scaleDown: { stabilizationWindowSeconds: 15 } },
    },
    metrics: [
      reads([
        [0, 16],
        [60, 40],
        [150, 8],
      ]),
    ],
  }),
  scenario({
    name: 'window-up',
    about: 'A window on the way up too, syncs every two seconds: a short spike is not followed',
    seconds: 240,
    replicas: 3,
    flags: { syncPeriodSeconds: 2, downscaleStabilizationSeconds: 20 },
    spec: {
      maxReplicas: 30,
      metrics: [podsMetric('4')],
      behavior: { scaleUp: { stabilizationWindowSeconds: 20 } },
    },
    metrics: [
      reads([
        [0, 12],
        [20, 60],
        [35, 12],
        [60, 44],
        [90, 100],
        [130, 70],
        [180, 20],
      ]),
    ],
  }),
  scenario({
    name: 'forgotten-events',
    about:
      'Growth that no policy for up looks at any more is forgotten as more grows, although the policy for down looks further back',
    seconds: 600,
    replicas: 2,
    spec: {
      maxReplicas: 100,
      metrics: [podsMetric('4')],
      behavior: {
        scaleUp: { policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] },
        scaleDown: {
          stabilizationWindowSeconds: 0,
          policies: [{ type: 'Percent', value: 20, periodSeconds: 300 }],
        },
      },
    },
    metrics: [
      reads([
        [0, 8],
        [30, 16],
        [60, 30],
        [120, 60],
        [200, 40],
        [260, 120],
        [320, 8],
      ]),
    ],
  }),
  scenario({
    name: 'bounds-changed',
    about: 'Bounds that change midway are gone into at once and without asking, and replicas set by hand too',
    seconds: 900,
    replicas: 4,
    spec: { minReplicas: 2, maxReplicas: 20, metrics: [podsMetric('4')], behavior: MANIFEST_BEHAVIOR },
    changes: [
      { at: 100, maxReplicas: 6 },
      { at: 200, minReplicas: 5 },
      { at: 310, maxReplicas: 30, minReplicas: 8 },
      { at: 400, replicas: 40 },
      { at: 500, replicas: 0 },
      { at: 600, replicas: 1 },
    ],
    metrics: [
      reads([
        [0, 50],
        [250, 12],
        [450, 100],
      ]),
    ],
  }),
  scenario({
    name: 'zero-by-hand',
    about: 'Zero by the HPA is left again, by load or by a least that is raised; zero by hand is not',
    seconds: 900,
    replicas: 2,
    flags: { downscaleStabilizationSeconds: 30 },
    spec: { minReplicas: 0, maxReplicas: 9, metrics: [external(average('10')), podsMetric('4')] },
    changes: [
      { at: 300, minReplicas: 3 },
      { at: 400, minReplicas: 0 },
      { at: 500, replicas: 0 },
      { at: 700, replicas: 1 },
    ],
    metrics: [
      reads([
        [0, 0],
        [150, 25],
        [200, 0],
        [550, 30],
      ]),
      reads([[0, 0]]),
    ],
  }),
  scenario({
    name: 'zero-and-raised',
    about: 'Zero is left for the least that is raised, past the policies, although they allow one pod a minute',
    seconds: 400,
    replicas: 1,
    flags: { downscaleStabilizationSeconds: 30 },
    spec: {
      minReplicas: 0,
      maxReplicas: 9,
      metrics: [external(average('10'))],
      behavior: { scaleUp: { policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] } },
    },
    changes: [{ at: 150, minReplicas: 4 }],
    metrics: [reads([[0, 0]])],
  }),
];
