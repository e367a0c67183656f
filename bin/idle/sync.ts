import type { IdleRule } from '../idle-options.ts';

export interface SyncCase {
  /** The bucket is there already; else it is made and filled. */
  isThere: boolean;
  /** Large models that it would be filled with. */
  big: number;
}

export const SYNC_IDLE: readonly IdleRule<SyncCase>[] = [
  {
    names: ['many', 'big', 'size'],
    isIdle: ({ isThere }) => isThere,
    why: 'say what a bucket is filled with, and yours is only read: leave these out, or the bucket (--bucket, KEDGE_BUCKET).',
  },
  {
    names: ['size'],
    isIdle: ({ isThere, big }) => !isThere && big === 0,
    why: 'is that of large models, and --big 0 asks for none.',
  },
];
