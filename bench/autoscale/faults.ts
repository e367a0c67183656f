import { KedgeError } from '../../contract/errors.ts';
import type { LocalPod } from '../cluster/pod.ts';
import type { RunClock } from '../cluster/run-clock.ts';

/** Something that is done to the oldest ready pod. Seconds of the run. */
export type Fault = { kind: 'kill'; at: number } | { kind: 'pause'; at: number; seconds: number };

/** @param pauses as `60:10`: at 60 s for 10 s. @throws KedgeError `config-invalid` */
export function parseFaults(kills: readonly string[], pauses: readonly string[]): Fault[] {
  const secondsOf = (text: string | undefined): number => (text?.trim() ? Number(text) : Number.NaN);
  const faults = [
    ...kills.map((text): Fault => ({ kind: 'kill', at: secondsOf(text) })),
    ...pauses.map((text): Fault => {
      const [at, seconds, ...more] = text.split(':');
      return { kind: 'pause', at: secondsOf(at), seconds: more.length > 0 ? Number.NaN : secondsOf(seconds) };
    }),
  ];
  const isGood = (fault: Fault): boolean => fault.at >= 0 && (fault.kind === 'kill' || fault.seconds > 0);
  if (faults.every(isGood)) return faults.sort((a, b) => a.at - b.at);
  throw new KedgeError(
    'config-invalid',
    '--kill-at takes a second of the run, such as 60; --pause a second and for how long, such as 60:10.',
  );
}

/** Does what the faults say until the signal aborts. @param zero when the run's second 0 is on the clock */
export async function runFaults(
  faults: readonly Fault[],
  { clock, zero, signal, pods, tell }: FaultContext,
): Promise<void> {
  await Promise.all(
    faults.map(async (fault) => {
      await clock.sleep(zero + fault.at - clock.now(), signal);
      const pod = signal.aborted ? undefined : pods().find(({ state }) => state === 'ready');
      if (!pod) return;
      if (fault.kind === 'kill') {
        tell(`${pod.name} is killed`);
        pod.signal('SIGKILL');
        return;
      }
      tell(`${pod.name} is stopped for ${fault.seconds} s`);
      pod.signal('SIGSTOP');
      await clock.sleep(fault.seconds, signal);
      pod.signal('SIGCONT');
    }),
  );
}

interface FaultContext {
  clock: RunClock;
  zero: number;
  signal: AbortSignal;
  pods(): readonly LocalPod[];
  /** Told of each as it is done. */
  tell(line: string): void;
}
