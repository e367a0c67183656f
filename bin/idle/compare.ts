import type { IdleRule } from '../idle-options.ts';

export interface CompareCase {
  /** How many peers are started. */
  peers: number;
}

export const COMPARE_IDLE: readonly IdleRule<CompareCase>[] = [
  {
    names: ['install'],
    isIdle: ({ peers }) => peers === 0,
    why: 'makes the environments of peers, and none is started: leave it out, or name some in --peers.',
  },
];
