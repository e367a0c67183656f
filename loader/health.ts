import { type Context, Hono } from 'hono';
import type { Clock } from '../platform/clock.ts';
import type { LoaderConfig } from './config.ts';
import type { Loader } from './loader.ts';
import type { LoaderMetrics } from './metrics.ts';

export interface HealthOptions {
  loader: Pick<Loader, 'state' | 'lastTick' | 'vouches' | 'problems' | 'othersVouch'>;
  metrics: LoaderMetrics;
  config: Pick<LoaderConfig, 'pollMs'>;
  clock: Clock;
  /** Free space on the volume, for the metrics; undefined where it cannot be asked. */
  freeBytes: () => Promise<number | undefined>;
}

/** A look at a bucket that answers nothing takes this long at most, the retries within it included. */
const SLOWEST_LOOK_MS = 120_000;

/**
 * `/livez`: the loop moves. `/startupz`: there is something to serve that this loader vouches for, or that the loader which it
 * waits for does, so that the server beside it may start. `/readyz`: this loader holds the volume and has synced once; it stays
 * 200 while the bucket is away, because a pod that serves must not be taken out for that. `/metrics`.
 */
export function createHealthApp({ loader, metrics, config, clock, freeBytes }: HealthOptions): Hono {
  const app = new Hono();
  const told = (c: Context, good: boolean, facts: Record<string, unknown> = {}): Response => {
    const problems = [...loader.problems].map(([name, { code, message }]) => ({ name, code, message }));
    return c.json({ state: loader.state, ...facts, problems }, good ? 200 : 503);
  };
  app.get('/livez', (c) => {
    const silentMs = clock.now() - loader.lastTick;
    const good = loader.state !== 'stopped' && silentMs < SLOWEST_LOOK_MS + 2 * config.pollMs;
    return told(c, good, { silentSeconds: silentMs / 1000 });
  });
  app.get('/startupz', async (c) => {
    const others = !loader.vouches && (await loader.othersVouch());
    return told(c, loader.vouches || others, others ? { vouchedBy: 'the loader that holds the volume' } : {});
  });
  app.get('/readyz', (c) => {
    const holds = loader.state !== 'waiting-for-lock' && loader.state !== 'stopped';
    return told(c, holds && loader.vouches);
  });
  app.get('/metrics', async (c) => {
    const free = await freeBytes();
    if (free !== undefined) metrics.volumeFreeBytes.set(free);
    return c.text(await metrics.registry.metrics(), 200, { 'content-type': metrics.registry.contentType });
  });
  return app;
}
