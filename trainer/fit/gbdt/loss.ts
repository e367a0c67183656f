import type { Objective } from '../fitter.ts';
import type { Gradients } from './grow.ts';
import { carrierOf } from './histogram.ts';

/** A prediction of nothing but 0 (or 1) has a score without end; this is far enough out. */
const TINY = 1e-9;

/** A loss of a target y and a score s, and how scores become predictions. */
export interface Loss {
  /** The best score that is the same for all rows. @param mean weighted mean of the target */
  base(mean: number): number;
  predict(score: number): number;
  /** The mean loss is what early stopping looks at; constants are left out. */
  loss(target: number, score: number): number;
}

export const LOSSES: Readonly<Record<Objective, Loss>> = {
  'squared-error': {
    base: (mean) => mean,
    predict: (score) => score,
    loss: (target, score) => (target - score) ** 2 / 2,
  },
  poisson: {
    base: (mean) => Math.log(Math.max(mean, TINY)),
    predict: Math.exp,
    loss: (target, score) => Math.exp(score) - target * score,
  },
  logistic: {
    base: (mean) => {
      const part = Math.min(1 - TINY, Math.max(TINY, mean));
      return Math.log(part / (1 - part));
    },
    predict: (score) => 1 / (1 + Math.exp(-score)),
    // log(1 + e^s) - y s, without overflow.
    loss: (target, score) => Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score))) - target * score,
  },
};

export interface GradientInputs {
  target: Float64Array;
  weights: Float64Array | undefined;
  /** Scores without `base`. */
  scores: Float32Array;
  base: number;
}

/** Whether second derivatives are 1 for all rows. */
export function hasConstantHessian(objective: Objective, weights: Float64Array | undefined): boolean {
  return objective === 'squared-error' && !weights;
}

/** Writes the derivatives of the loss by the score to the arrays of `into`, and works out the carrier. */
export function computeGradients(objective: Objective, inputs: GradientInputs, into: Gradients): void {
  const { first, second } = into;
  if (objective === 'squared-error') squaredError(inputs, first);
  else if (objective === 'poisson') poisson(inputs, first, second!);
  else logistic(inputs, first, second!);
  const { weights } = inputs;
  if (second) {
    if (objective === 'squared-error') second.fill(1);
    if (weights) {
      for (let row = 0; row < first.length; row += 1) {
        first[row] = first[row]! * weights[row]!;
        second[row] = second[row]! * weights[row]!;
      }
    }
  }
  let total = 0;
  const counted = second ?? first;
  for (let row = 0; row < counted.length; row += 1) total += Math.abs(counted[row]!);
  into.carrier = carrierOf(total);
}

function squaredError({ target, scores, base }: GradientInputs, first: Float32Array): void {
  for (let row = 0; row < first.length; row += 1) first[row] = scores[row]! + base - target[row]!;
}

function poisson({ target, scores, base }: GradientInputs, first: Float32Array, second: Float32Array): void {
  for (let row = 0; row < first.length; row += 1) {
    const mean = Math.exp(scores[row]! + base);
    first[row] = mean - target[row]!;
    second[row] = mean;
  }
}

function logistic({ target, scores, base }: GradientInputs, first: Float32Array, second: Float32Array): void {
  for (let row = 0; row < first.length; row += 1) {
    const part = 1 / (1 + Math.exp(-(scores[row]! + base)));
    first[row] = part - target[row]!;
    second[row] = part * (1 - part);
  }
}
