import type { Schedule, Segment } from './schedule.ts';

/** Straight lines for one period of a sine: the rate is off by less than 0.13 % of its amplitude anywhere. */
const LINES_A_PERIOD = 64;

type Line = Omit<Segment, 'random'>;

/** One rate after another, each for the same time. @param seconds of all together */
export function steps(rates: readonly number[], seconds: number): Line[] {
  const each = seconds / rates.length;
  return rates.map((rate, index) => ({
    from: index * each,
    to: (index + 1) * each,
    startRate: rate,
    endRate: rate,
  }));
}

/** Evenly from each rate to the next, at least two; each way takes the same time. @param seconds of all together */
export function ramp(rates: readonly number[], seconds: number): Line[] {
  const each = seconds / (rates.length - 1);
  return rates.slice(1).map((rate, index) => ({
    from: index * each,
    to: (index + 1) * each,
    startRate: rates[index]!,
    endRate: rate,
  }));
}

/** Up from the low rate to the high one and back in each period, as the hours of a day do. */
export function sine({ low, high, period }: { low: number; high: number; period: number }, seconds: number): Line[] {
  const at = (time: number): number => low + ((high - low) / 2) * (1 - Math.cos((2 * Math.PI * time) / period));
  const each = period / LINES_A_PERIOD;
  return Array.from({ length: Math.ceil(seconds / each - 1e-9) }, (_, index) => {
    const from = index * each;
    const to = Math.min(seconds, from + each);
    return { from, to, startRate: at(from), endRate: at(to) };
  });
}

/** A base rate, and a peak from one moment to the next. @param start seconds until the peak @param length seconds of it */
export function spike(
  { base, peak, start, length }: { base: number; peak: number; start: number; length: number },
  seconds: number,
): Line[] {
  const times = [0, start, start + length, seconds];
  return [base, peak, base]
    .map((rate, index) => ({ from: times[index]!, to: times[index + 1]!, startRate: rate, endRate: rate }))
    .filter(({ from, to }) => to > from);
}

/** A recorded rate holds until the next was recorded, and the last one as long as the one before it. @param points at least one, in order of time */
export function recorded(points: readonly { seconds: number; rate: number }[]): Line[] {
  const first = points[0]!.seconds;
  const last = points.at(-1)!.seconds;
  const lastLength = last - (points.at(-2)?.seconds ?? last - 1);
  return points.map(({ seconds, rate }, index) => ({
    from: seconds - first,
    to: (points[index + 1]?.seconds ?? last + lastLength) - first,
    startRate: rate,
    endRate: rate,
  }));
}

/** What of some lines comes before a time. */
export function cut(lines: readonly Line[], seconds: number): Line[] {
  return lines
    .filter(({ from }) => from < seconds)
    .map((line) => {
      const { from, to, startRate, endRate } = line;
      if (to <= seconds) return line;
      return { ...line, to: seconds, endRate: startRate + ((endRate - startRate) * (seconds - from)) / (to - from) };
    });
}

export function scheduleOf(lines: readonly Line[], random: boolean): Schedule {
  return { segments: lines.map((line) => ({ ...line, random })) };
}
