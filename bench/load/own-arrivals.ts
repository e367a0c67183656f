import { Random } from '../../platform/random.ts';
import { arrivalsOf } from './arrivals.ts';
import type { LoadOrder } from './load-entry.ts';
import { compressed } from './schedule.ts';

export interface OwnArrival {
  /** Seconds on the wall from when the schedule begins. */
  at: number;
  /** Index of the request that is sent. */
  target: number;
}

/** Of all arrivals of a load, which every thread goes through alike, those that one thread sends. */
export function* ownArrivals({ index, workers, options }: LoadOrder): Generator<OwnArrival, undefined> {
  const { seed, requests, schedule, compression } = options;
  const random = new Random(seed);
  const choice = new Random(~seed);
  const sums: number[] = [];
  for (const { weight } of requests) sums.push((sums.at(-1) ?? 0) + weight);
  let number = 0;
  for (const at of arrivalsOf(compressed(schedule, compression), () => random.next())) {
    const drawn = choice.next() * sums.at(-1)!;
    if (number % workers === index) yield { at, target: sums.findIndex((sum) => drawn < sum) };
    number += 1;
  }
}
