import { clockText } from '../format.ts';

/** An axis of values: where a value lies, from 0 at the lower end to 1 at the upper, and what stands beside it. */
export interface Axis {
  place(value: number): number;
  ticks: readonly number[];
}

const STEPS = [1, 2, 5, 10];
/** What counts seconds well. */
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400];

/** From 0 to a round number that is not below `most`. */
export function linearAxis(most: number, count = 4): Axis {
  const rough = (most > 0 && Number.isFinite(most) ? most : 1) / count;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * STEPS.find((one) => one * unit >= rough * 0.999_999)!;
  const steps = Math.max(1, Math.ceil((count * rough) / step - 1e-6));
  const top = step * steps;
  return {
    place: (value) => value / top,
    ticks: Array.from({ length: steps + 1 }, (_, index) => Number((index * step).toPrecision(12))),
  };
}

/** By powers of ten, between round numbers around what there is. Values must be over 0. */
export function logAxis(least: number, most: number): Axis {
  const low = floorTo(least > 0 ? least : 1);
  const high = Math.max(ceilTo(most > 0 ? most : 1), low * 2);
  const decades = Math.log10(high / low);
  const steps = decades > 3 ? [1] : [1, 2, 5];
  const first = Math.floor(Math.log10(low) + 1e-9);
  const ticks = Array.from({ length: Math.ceil(decades) + 2 }, (_, power) =>
    steps.map((step) => step * 10 ** (first + power)),
  )
    .flat()
    .map((tick) => Number(tick.toPrecision(12)))
    .filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
  return { place: (value) => Math.log10(Math.max(value, low) / low) / decades, ticks };
}

const mantissas = [1, 2, 5, 10];
const unitOf = (value: number): number => 10 ** Math.floor(Math.log10(value) + 1e-9);
const floorTo = (value: number): number =>
  unitOf(value) * mantissas.findLast((one) => one * unitOf(value) <= value * 1.000_001)!;
const ceilTo = (value: number): number =>
  unitOf(value) * mantissas.find((one) => one * unitOf(value) >= value * 0.999_999)!;

/** Round times from 0 to the end, at most ten. */
export function timeTicks(seconds: number): number[] {
  const step = TIME_STEPS.find((one) => seconds / one <= 9) ?? 86_400 * Math.ceil(seconds / 86_400 / 9);
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => index * step);
}

/** `45 s`, `2:05`, `1:02:05`. */
export function timeText(seconds: number, ofTotal: number): string {
  return ofTotal <= 120 ? `${Number(seconds.toFixed(1))} s` : clockText(seconds);
}
