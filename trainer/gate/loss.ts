/** What an answer costs, row by row; lower is better. */
const LOSSES = {
  absolute: (target: number, answer: number) => Math.abs(target - answer),
  squared: (target: number, answer: number) => (target - answer) ** 2,
  /** Infinite where the answer is 0 and the target is not. */
  poisson: (target: number, answer: number) =>
    2 * ((target === 0 ? 0 : target * Math.log(target / answer)) - target + answer),
} as const;

export type LossName = keyof typeof LOSSES;

export function lossesOf(name: LossName, target: Float64Array, answers: ArrayLike<number>): Float64Array {
  const loss = LOSSES[name];
  return target.map((value, row) => loss(value, Number(answers[row])));
}

export function meanOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
