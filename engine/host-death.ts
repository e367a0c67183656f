import { KedgeError } from '../contract/errors.ts';

/** Why a host process ended. */
export type Death =
  | { kind: 'ended' }
  | { kind: 'timeout'; timeoutMs: number }
  | { kind: 'memory'; memoryBytes: number; limitBytes: number }
  | { kind: 'exit'; code: number | null; signal: NodeJS.Signals | null }
  | { kind: 'nonsense'; message: string }
  | { kind: 'unstarted'; message: string };

/** The end of a sentence about the process. */
export function describeDeath(death: Death): string {
  switch (death.kind) {
    case 'ended':
      return 'it was no longer needed';
    case 'timeout':
      return `it took longer than ${death.timeoutMs} ms`;
    case 'memory':
      return `it took ${mebibytes(death.memoryBytes)} of memory, and ${mebibytes(death.limitBytes)} are allowed`;
    case 'exit':
      return death.signal
        ? `it was killed by ${death.signal}${guess(death.signal)}`
        : `it exited with code ${death.code}`;
    case 'nonsense':
      return `it answered what cannot be read (${death.message})`;
    case 'unstarted':
      return `it could not be started (${death.message})`;
  }
}

/**
 * What a death means to a call: the one that was `underWay` is its likely cause, the others only met with it.
 * @param what the subject: `Loading demand/8`
 */
export function deathError(death: Death, what: string, underWay: boolean): KedgeError {
  const details = { death, underWay };
  if (!underWay || death.kind === 'ended') {
    const message = `${what} was cut off, as its process ended: ${describeDeath(death)}. Try it again.`;
    return new KedgeError('engine-crashed', message, { details });
  }
  const codes = { timeout: 'engine-timeout', memory: 'engine-memory' } as const;
  const code = death.kind === 'timeout' || death.kind === 'memory' ? codes[death.kind] : 'engine-crashed';
  return new KedgeError(code, `${what} ended its process: ${describeDeath(death)}.`, { details });
}

/** Whether a call failed only because its process ended for another reason: it may be tried again elsewhere. */
export function wasCutOff(error: unknown): boolean {
  if (!(error instanceof KedgeError)) return false;
  const { death, underWay } = error.details as { death?: Death; underWay?: boolean };
  return death !== undefined && death.kind !== 'ended' && underWay === false;
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

function guess(signal: NodeJS.Signals): string {
  return signal === 'SIGKILL' ? ', as the kernel does when memory runs out' : '';
}
