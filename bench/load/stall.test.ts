import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { saturate } from './closed-loop.ts';
import { driveLoad } from './drive-load.ts';
import type { LoadRequest } from './load-options.ts';
import { parseSchedule } from './schedule-spec.ts';
import type { StallOrder } from './testing/stalling-server.ts';

/** A tenth of the time, as 1 s in every 10. */
const STALL = { periodMs: 6_000, stallMs: 600 } satisfies StallOrder;
/** Two periods. */
const SECONDS = 12;
const micros = (ms: number): number => ms * 1_000;

/**
 * Requests that come while the server stands still wait for the rest of that: between nothing and all of it. They are a tenth of all, so that one in a hundred of all waits for more
 * than nine tenths of a stall: the true p99 is 540 ms, and the median is next to nothing.
 */
it('reports the true p99 of a server that stands still a tenth of the time, which a closed loop does not see', async () => {
  const server = new Worker(new URL('./testing/stalling-server.ts', import.meta.url), { workerData: STALL });
  try {
    const [port] = (await once(server, 'message')) as [number];
    const url = `http://127.0.0.1:${port}`;
    const requests: LoadRequest[] = [{ model: 'm', weight: 1, body: '{}', check: 'status' }];
    const [open, closed] = await Promise.all([
      driveLoad({
        url,
        requests,
        schedule: parseSchedule(`constant:100/${SECONDS}s`, String),
        timeoutMs: 30_000,
        maxOutstanding: 5_000,
        coarse: true,
      }),
      saturate({ url, requests, connections: 1, seconds: SECONDS, timeoutMs: 30_000 }),
    ]);
    expect(open.total).toMatchObject({ scheduled: 1_200, ok: 1_200 });
    const { p50, p90, p99, max } = open.total.latency!;
    expect(p99).toBeGreaterThan(micros(0.85 * STALL.stallMs));
    // A busy machine adds to it; it does not make seconds of milliseconds.
    expect(p99).toBeLessThan(micros(STALL.stallMs + STALL.periodMs / 2));
    expect(max).toBeGreaterThan(micros(0.95 * STALL.stallMs));
    expect(p50).toBeLessThan(p99 / 2);
    expect(p90).toBeLessThan(p99);

    // Of its thousands of requests, each stall meets the one that is under way.
    expect(closed.total.ok).toBeGreaterThan(1_000);
    expect(closed.total.latency!.max).toBeGreaterThan(micros(0.95 * STALL.stallMs));
    expect(closed.total.latency!.p99).toBeLessThan(p99 / 2);
  } finally {
    await server.terminate();
  }
}, 120_000);
