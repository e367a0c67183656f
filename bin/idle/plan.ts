import type { IdleRule } from '../idle-options.ts';

export interface PlanCase {
  /** A pod is measured; else there is a curve. */
  measures: boolean;
  /** There is a load to plan for; else a curve alone is wanted. */
  plans: boolean;
}

export const PLAN_IDLE: readonly IdleRule<PlanCase>[] = [
  {
    names: ['metrics', 'model', 'body', 'out', 'seconds', 'start', 'outstanding'],
    isIdle: ({ measures }) => !measures,
    why: 'are about a pod that is measured, and --curve is what one answered: give --measure URL in its place, or leave these out.',
  },
  {
    names: [
      'p99',
      'in-flight',
      'share',
      'headroom',
      'pod-start',
      'drain',
      'least',
      'most',
      'queue',
      'metric-window',
      'metric-delay',
      'sync',
      'hpa',
      'targets',
      'as',
      'json',
    ],
    isIdle: ({ plans }) => !plans,
    why: 'are about a plan, and without a load there is none: give --trace FILE or --load SPEC, or leave these out.',
  },
];
