import type { Objective } from './fitter.ts';

/** What a target looks like: 0 and 1, counts (whole numbers from 0 on), or any number. */
export function suggestObjective(target: Float64Array): Objective {
  if (target.every((value) => value === 0 || value === 1)) return 'logistic';
  return target.every((value) => Number.isInteger(value) && value >= 0) ? 'poisson' : 'squared-error';
}
