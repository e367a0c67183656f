import type { Objective } from '../fit/fitter.ts';

/** Targets, what was answered for them, and how much each counts; all the same if absent. */
export interface Answered {
  target: Float64Array;
  answers: Float64Array;
  weights?: Float64Array | undefined;
}

/** Lower is better, for all of them. */
export type Metrics = Record<string, number>;

/** A probability of 0 for what happened would cost without end. */
const LEAST = 1e-15;

function mean({ target, answers, weights }: Answered, of: (target: number, answer: number) => number): number {
  let [sum, total] = [0, 0];
  for (let row = 0; row < target.length; row += 1) {
    const weight = weights ? weights[row]! : 1;
    if (weight === 0) continue;
    sum += weight * of(target[row]!, answers[row]!);
    total += weight;
  }
  return sum / total;
}

export function meanAbsoluteError(answered: Answered): number {
  return mean(answered, (y, p) => Math.abs(y - p));
}

export function rootMeanSquaredError(answered: Answered): number {
  return Math.sqrt(mean(answered, (y, p) => (y - p) ** 2));
}

/** 2 mean(y log(y / p) - y + p); infinite where an answer is 0 and the target is not, NaN where an answer is negative. */
export function poissonDeviance(answered: Answered): number {
  return 2 * mean(answered, (y, p) => (y === 0 ? 0 : y * Math.log(y / p)) - y + p);
}

/** The loss whose best answer is the quantile `alpha` (Koenker and Bassett 1978). */
export function pinballLoss(answered: Answered, alpha: number): number {
  return mean(answered, (y, p) => (y >= p ? alpha * (y - p) : (1 - alpha) * (p - y)));
}

export function logLoss(answered: Answered): number {
  return mean(answered, (y, p) => {
    const part = Math.min(1 - LEAST, Math.max(LEAST, p));
    return -(y * Math.log(part) + (1 - y) * Math.log(1 - part));
  });
}

/** The metrics that tell of a model with that objective; the first is the one to compare by. */
export function metricsOf(objective: Objective, answered: Answered): Metrics {
  if (objective === 'logistic') {
    return {
      logLoss: logLoss(answered),
      brier: mean(answered, (y, p) => (y - p) ** 2),
      errorRate: mean(answered, wrong),
    };
  }
  return {
    mae: meanAbsoluteError(answered),
    rmse: rootMeanSquaredError(answered),
    ...(objective === 'poisson' && { poissonDeviance: poissonDeviance(answered) }),
    pinball10: pinballLoss(answered, 0.1),
    pinball90: pinballLoss(answered, 0.9),
  };
}

function wrong(target: number, answer: number): number {
  return Number(target !== Number(answer > 0.5));
}

/** Metrics of each group of rows that has one whose weight is above 0. @param groups the group of each row, in the order of `answered` */
export function metricsByGroup(
  objective: Objective,
  { target, answers, weights }: Answered,
  groups: readonly string[],
): Record<string, Metrics & { rows: number }> {
  const members = Map.groupBy(target.keys(), (row) => groups[row]!);
  const of = (values: Float64Array, rows: number[]): Float64Array => Float64Array.from(rows, (row) => values[row]!);
  return Object.fromEntries(
    [...members]
      .filter(([, rows]) => !weights || rows.some((row) => weights[row]! > 0))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([group, rows]) => {
        const part = { target: of(target, rows), answers: of(answers, rows), weights: weights && of(weights, rows) };
        return [group, { rows: rows.length, ...metricsOf(objective, part) }];
      }),
  );
}

/** The mean of each metric over several splits. */
export function meanMetrics(all: readonly Metrics[]): Metrics {
  const [first = {}] = all;
  return Object.fromEntries(
    Object.keys(first).map((name) => [name, all.reduce((sum, metrics) => sum + metrics[name]!, 0) / all.length]),
  );
}
