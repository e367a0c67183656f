import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import { KedgeError } from '../contract/errors.ts';
import { backoffMs } from '../platform/backoff.ts';
import type { Clock } from '../platform/clock.ts';

/** A lock whose holder was killed is taken over after this time; the holder renews it in half of it. */
const STALE_MS = 10_000;
const BACKOFF = { baseMs: 5, maxMs: 100 };

export interface LockOptions {
  clock: Clock;
  random: () => number;
  signal?: AbortSignal | undefined;
  /** How long to wait for another holder; longer than a killed one is believed. */
  patienceMs?: number;
}

/**
 * Runs `action` while this process alone, of all that use the folder, holds its lock. `held()` tells whether it still does:
 * a process that was stopped for longer than the lock bears lost it.
 * @throws KedgeError `conflict` when another holds it for too long
 */
export async function withLock<T>(
  dir: string,
  { clock, random, signal, patienceMs = 3 * STALE_MS }: LockOptions,
  action: (held: () => boolean) => Promise<T>,
): Promise<T> {
  await mkdir(dir, { recursive: true });
  let held = true;
  const onCompromised = (): void => {
    held = false;
  };
  const until = clock.now() + patienceMs;
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    const release = await lock(dir, {
      lockfilePath: join(dir, 'lock'),
      realpath: false,
      stale: STALE_MS,
      onCompromised,
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ELOCKED') throw error;
      return undefined;
    });
    if (release) {
      try {
        return await action(() => held);
      } finally {
        // A lock that was lost is not ours to release.
        await release().catch(() => undefined);
      }
    }
    if (clock.now() >= until)
      throw new KedgeError('conflict', `another process holds ${join(dir, 'lock')}. Try again when it is done.`);
    await clock.sleep(backoffMs(attempt, BACKOFF, random()), signal);
  }
}
