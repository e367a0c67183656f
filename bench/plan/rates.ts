import { areaOf, durationOf, type Schedule } from '../load/schedule.ts';

/** The mean rate in each step of a schedule, in requests a second; the last step may end after it. */
export function ratesOf(schedule: Schedule, stepSeconds: number): Float64Array {
  const count = Math.max(1, Math.ceil(durationOf(schedule) / stepSeconds - 1e-9));
  const rates = new Float64Array(count);
  for (const segment of schedule.segments) {
    const { from, to, startRate, endRate } = segment;
    const slope = (endRate - startRate) / (to - from);
    const rateAt = (seconds: number): number => startRate + slope * (seconds - from);
    for (let step = Math.floor(from / stepSeconds); step < count && step * stepSeconds < to; step += 1) {
      const begin = Math.max(from, step * stepSeconds);
      const end = Math.min(to, (step + 1) * stepSeconds);
      const area = areaOf({ ...segment, from: begin, to: end, startRate: rateAt(begin), endRate: rateAt(end) });
      rates[step]! += area / stepSeconds;
    }
  }
  const lastSeconds = durationOf(schedule) - (count - 1) * stepSeconds;
  // A part of a step that nothing is known of goes on as the rest of it was.
  rates[count - 1]! *= stepSeconds / Math.min(stepSeconds, lastSeconds);
  return rates;
}
