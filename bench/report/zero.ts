import type { RunRecord, Waking } from './record.ts';

/** How long a client waited for the first answer after there was no pod, in seconds, and where that time went. */
export interface FirstAnswer {
  waking: Waking;
  /** Until KEDA asked for a pod, at the full length of its clock. */
  asked: number;
  /** From then on until the answer: what a start takes on this machine, and what was declared of it. */
  started: number;
  /** Both: what a client waits where time is not compressed. */
  total: number;
  /** What it waited in this run, on the wall. */
  wall: number;
}

/** Of each time that a client waited while no pod was ready and was answered by one, in order. Pure. */
export function firstAnswersOf({ scaling, compression }: Pick<RunRecord, 'scaling' | 'compression'>): FirstAnswer[] {
  const { wakings = [], startDelay = 0 } = scaling?.zero ?? {};
  return wakings.flatMap((waking) => {
    const { at, activated = at, answered } = waking;
    if (answered === undefined) return [];
    const asked = activated - at;
    const after = answered - activated;
    const declared = waking.activated === undefined ? 0 : Math.min(startDelay, after);
    const started = declared + (after - declared) / compression;
    return [{ waking, asked, started, total: asked + started, wall: (answered - at) / compression }];
  });
}

export function slowestOf(answers: readonly FirstAnswer[]): FirstAnswer | undefined {
  return answers.reduce<FirstAnswer | undefined>(
    (most, one) => (!most || one.total > most.total ? one : most),
    undefined,
  );
}
