import { hasCode, KedgeError } from '../contract/errors.ts';
import { backoffMs } from '../platform/backoff.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Conditions } from './conditions.ts';
import type { LoaderConfig } from './config.ts';
import { VolumeLock } from './lock.ts';
import { type Recovered, recover } from './recover.ts';
import { ensureVolume, type OnStep, Volume } from './volume.ts';

export interface TakeOptions {
  config: Pick<LoaderConfig, 'volume' | 'lockStaleMs'>;
  conditions: Conditions;
  clock: Clock;
  random: () => number;
  log: Log;
  onStep?: OnStep;
  /** Gives up at this time, in milliseconds since the epoch, and at once where the volume cannot be written; Infinity: never. */
  until: number;
  signal: AbortSignal;
  /** Told while it goes on. */
  onTick: () => void;
  onLost: (error: KedgeError) => void;
}

export interface TakenVolume {
  lock: VolumeLock;
  volume: Volume;
  recovered: Recovered;
}

/** How often the lock is asked for. */
const LOCK_EVERY_MS = 1_000;
const VOLUME_BACKOFF = { baseMs: 1_000, maxMs: 60_000 };

/**
 * Takes the lock of the volume and recovers what lies there, as often as it needs to.
 * @returns undefined when `signal` aborts before. @throws KedgeError `volume-locked`, `volume-failed`
 */
export async function takeVolume(options: TakeOptions): Promise<TakenVolume | undefined> {
  const { config, conditions, clock, random, until, signal, onTick } = options;
  for (let failures = 0; !signal.aborted; ) {
    onTick();
    let lock: VolumeLock | undefined;
    try {
      lock = await tryLock(options);
      if (lock) return { lock, ...(await recoverVolume(lock, options)) };
    } catch (error) {
      await lock?.release();
      if (!hasCode(error, 'volume-failed') || until !== Infinity) throw error;
      conditions.raise('volume', error);
      failures += 1;
    }
    if (clock.now() >= until) throw heldByAnother(config.volume);
    const pause = failures === 0 ? LOCK_EVERY_MS : backoffMs(failures - 1, VOLUME_BACKOFF, random());
    await clock.sleep(pause, signal);
  }
  return undefined;
}

async function tryLock({ config, conditions, log, onLost }: TakeOptions): Promise<VolumeLock | undefined> {
  await ensureVolume(config.volume);
  const lock = await VolumeLock.tryAcquire(config.volume, { staleMs: config.lockStaleMs, onLost });
  if (!lock) {
    conditions.raise('lock', heldByAnother(config.volume));
    return undefined;
  }
  conditions.clear('lock');
  log.info({ volume: config.volume }, 'This loader holds the volume.');
  return lock;
}

async function recoverVolume(
  lock: VolumeLock,
  options: TakeOptions,
): Promise<{ volume: Volume; recovered: Recovered }> {
  const { config, conditions, log, onStep = () => undefined, onTick } = options;
  const volume = new Volume(config.volume, lock, onStep);
  const recovered = await recover(volume, { log, clock: options.clock, onProgress: onTick });
  conditions.clear('volume');
  return { volume, recovered };
}

function heldByAnother(volume: string): KedgeError {
  const message = `Another loader holds the volume ${volume}; this one waits. Run one loader for each volume.`;
  return new KedgeError('volume-locked', message);
}
