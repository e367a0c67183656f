/**
 * A part of a schedule over which the rate changes evenly. Seconds are the run's own, from its start; rates are requests per second. Parts follow each other without
 * a gap; the rate may jump between two.
 */
export interface Segment {
  from: number;
  to: number;
  startRate: number;
  endRate: number;
  /** Arrivals are at random (Poisson), as those of many independent clients are; evenly spaced if false. */
  random: boolean;
}

/** How a load goes over time. Every shape is made of straight lines, so that its integral and the inverse of that are exact. */
export interface Schedule {
  /** In order, from 0; at least one. */
  segments: readonly Segment[];
}

/** Seconds. */
export function durationOf({ segments }: Schedule): number {
  return segments.at(-1)!.to;
}

/** Requests per second at a time; 0 before the start, and from the end on. */
export function rateAt({ segments }: Schedule, seconds: number): number {
  const segment = segments.find(({ from, to }) => seconds >= from && seconds < to);
  if (!segment) return 0;
  const { from, to, startRate, endRate } = segment;
  return startRate + ((endRate - startRate) * (seconds - from)) / (to - from);
}

/** The highest rate that it comes to. */
export function peakOf({ segments }: Schedule): number {
  return segments.reduce((peak, { startRate, endRate }) => Math.max(peak, startRate, endRate), 0);
}

/** Requests that are expected of all of it: the integral of the rate. */
export function requestsOf({ segments }: Schedule): number {
  return segments.reduce((sum, segment) => sum + areaOf(segment), 0);
}

/** Requests that are expected of a segment. */
export function areaOf({ from, to, startRate, endRate }: Segment): number {
  return ((startRate + endRate) / 2) * (to - from);
}

/** One schedule after another. */
export function inSequence(schedules: readonly Schedule[]): Schedule {
  let start = 0;
  return {
    segments: schedules.flatMap((schedule) => {
      const shift = start;
      start += durationOf(schedule);
      return schedule.segments.map((segment) => ({ ...segment, from: segment.from + shift, to: segment.to + shift }));
    }),
  };
}

/**
 * A schedule as it is run in compressed time: its seconds pass faster, its rates are kept, as a server is no faster for it. A run of ten minutes in ten times compressed
 * time sends for one minute, and so a tenth of the requests.
 */
export function compressed({ segments }: Schedule, compression: number): Schedule {
  return {
    segments: segments.map((segment) => ({
      ...segment,
      from: segment.from / compression,
      to: segment.to / compression,
    })),
  };
}
