import type { IdleRule } from '../idle-options.ts';

/** By which loop `kedge bench load` sends. */
export interface LoopCase {
  /** By autocannon. */
  closed: boolean;
}

/** What is known before a server is asked. */
export const LOOP_IDLE: readonly IdleRule<LoopCase>[] = [
  {
    names: ['load'],
    isIdle: ({ closed }) => closed,
    why: 'cannot be had, as autocannon follows no schedule: give --connections and --seconds, or leave out --tool.',
  },
  {
    names: ['outstanding', 'deadline', 'workers', 'compression', 'reconnect', 'coarse'],
    isIdle: ({ closed }) => closed,
    why: 'cannot be had of autocannon: leave these out, or --tool.',
  },
  {
    names: ['connections', 'seconds'],
    isIdle: ({ closed }) => !closed,
    why: 'cannot be had of a load that follows a schedule: say it in --load, or give --tool autocannon.',
  },
];

/** What is sent and looked at. */
export interface BodyCase {
  /** A model is asked that no body is given for. */
  madeUp: boolean;
  /** A model is asked that no answers are wanted of. */
  unwanted: boolean;
}

export const BODY_IDLE: readonly IdleRule<BodyCase>[] = [
  {
    names: ['rows', 'bodies', 'binary'],
    isIdle: ({ madeUp }) => !madeUp,
    why: 'say how bodies are made up, and all are given: leave these out, or --body.',
  },
  {
    names: ['status-only'],
    isIdle: ({ unwanted }) => !unwanted,
    why: 'looks at no answer, and --wanted says what every one must be: leave out one of them.',
  },
];
