import { KedgeError, messageOf } from '../contract/errors.ts';

const ADVICE: Record<string, string> = {
  ENOSPC: 'The volume is full: make it larger, or keep fewer versions (KEDGE_KEEP).',
  EDQUOT: 'The quota of the volume is used up: raise it, or keep fewer versions (KEDGE_KEEP).',
  EROFS: 'The volume is mounted read-only: the loader needs it writable.',
  EACCES: 'The loader may not write the volume: check its user and group (fsGroup).',
  EPERM: 'The loader may not write the volume: check its user and group (fsGroup).',
};

/** An error of the file system as a `volume-failed` that says what to do; what is a KedgeError or no such error goes through. */
export function volumeError(error: unknown, doing: string): Error {
  if (error instanceof KedgeError) return error;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error as Error;
  const advice = ADVICE[code] ?? 'Check the volume.';
  return new KedgeError('volume-failed', `${doing} failed: ${messageOf(error)}. ${advice}`, {
    cause: error,
    details: { code },
  });
}

export async function onVolume<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw volumeError(error, doing);
  }
}
