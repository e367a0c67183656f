import { z } from 'zod';
import type { RunRecord, ScalingRecord } from '../record.ts';

/** What came out of one assertion. */
export interface Finding {
  holds: boolean;
  measured: string;
  /** Asked for only where it does not hold. */
  advice(): string;
}

/** A kind of assertion: what may be written for it, and how a run is judged by it. */
export interface Kind<T = never> {
  /** What it demands, for help. */
  about: string;
  value: z.ZodType<T>;
  /** The value in words: `milliseconds`. */
  form: string;
  judge(record: RunRecord, value: T): Finding;
}

export const share = { value: z.number().min(0).max(1), form: 'a share from 0 to 1 (0.01 is 1 %)' };
export const whole = { value: z.int().min(0), form: 'a whole number, 0 or more' };
export const ms = { value: z.number().positive(), form: 'milliseconds over 0' };
export const seconds = { value: z.number().positive(), form: 'seconds over 0' };
export const amount = { value: z.number().positive(), form: 'a number over 0' };

/** For what a run did not measure: an assertion that nothing was held against does not hold. */
export function unmeasured(why: string, advice: string): Finding {
  return { holds: false, measured: why, advice: () => advice };
}

/** A kind that can only be judged where something scaled. */
export function onScaling<T>(
  kind: Omit<Kind<T>, 'judge'> & { judge(scaling: ScalingRecord, value: T, record: RunRecord): Finding },
): Kind<T> {
  return {
    ...kind,
    judge(record, value) {
      const { scaling } = record;
      if (scaling && scaling.ticks.length > 0) return kind.judge(scaling, value, record);
      return unmeasured('nothing scaled in this run', 'Judge a run of kedge bench autoscale by it, or leave it out.');
    },
  };
}
