import { resolve } from 'node:path';
import { type Clock, systemClock } from '../platform/clock.ts';
import { listen } from '../platform/listen.ts';
import { createLog, type Log } from '../platform/log.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import { openStore } from '../registry/open-store.ts';
import type { LoaderConfig } from './config.ts';
import { createHealthApp } from './health.ts';
import { Loader } from './loader.ts';
import { LoaderMetrics } from './metrics.ts';
import { freeBytes, type OnStep } from './volume.ts';

/** What the loader is built from besides its settings; a test passes its own. */
export interface LoaderParts {
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Log;
  store: ObjectStore;
  onStep: OnStep;
}

export interface RunOptions {
  /** One sync, then end. */
  once: boolean;
  signal: AbortSignal;
  /** Told the port of the health endpoints once they answer; `once` has none. */
  onListening?: (port: number) => void;
}

/** A scrape that is under way at the end gets this long. */
const CLOSE_MS = 1_000;

/**
 * Keeps the volume in step with the bucket until the signal aborts, or syncs it once.
 * @throws KedgeError `config-invalid`, and what {@link Loader.run} and {@link Loader.once} throw
 */
export async function runLoader(
  settings: LoaderConfig,
  { once, signal, onListening }: RunOptions,
  parts: Partial<LoaderParts> = {},
): Promise<void> {
  const config = { ...settings, volume: resolve(settings.volume) };
  const { clock = systemClock, random = Math.random, log = createLog('loader', config.logLevel) } = parts;
  const store = parts.store ?? openStore(config.bucket, { clock, random });
  const metrics = new LoaderMetrics();
  const steps = parts.onStep && { onStep: parts.onStep };
  const loader = new Loader({ config, store, clock, random, log, metrics, ...steps });
  try {
    if (once) return await loader.once(signal);
    const free = (): Promise<number | undefined> => freeBytes(config.volume).catch(() => undefined);
    const app = createHealthApp({ loader, metrics, config, clock, freeBytes: free });
    const listener = await listen(app, { port: config.port });
    log.info({ port: listener.port, bucket: store.url, volume: config.volume }, 'The loader is up.');
    onListening?.(listener.port);
    try {
      await loader.run(signal);
    } finally {
      await listener.close(CLOSE_MS);
    }
  } finally {
    store.close();
  }
}
