import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { LoadInterval } from '../report/record.ts';
import { addsUp, answer, answering, drive, M, serving } from './testing/serving.ts';

describe('sending', () => {
  it.each([1, 3])(
    'sends what its schedule has, over %s threads, and tells of each second in order',
    async (workers) => {
      const { url } = await serving(answering(() => answer('7', 1)));
      const told: LoadInterval[] = [];
      const record = await drive(
        url,
        { load: 'constant:40/1s+constant:80/1500ms', workers },
        { onInterval: (interval) => told.push(interval) },
      );
      addsUp(record);
      expect(record.intervals.map(({ scheduled }) => scheduled)).toEqual([40, 80, 40]);
      expect(told).toEqual(record.intervals);
      expect(record.total).toMatchObject({ ok: 160, statuses: { 200: 160 }, versions: { 'm/7': 160 } });
      const { p50, p90, p99, p999, max } = record.total.latency!;
      expect([p50, p90, p99, p999, max]).toEqual([p50, p90, p99, p999, max].toSorted((a, b) => a - b));
      expect(record.problems).toEqual([]);
    },
  );

  it('sends the same requests for the same seed, whatever the number of threads', async () => {
    const seen = async (workers: number, seed: number): Promise<string[]> => {
      const paths: string[] = [];
      const { url } = await serving(answering((_, path) => [paths.push(path) ? '{}' : '', {}]));
      const requests = [M, { ...M, model: 'n', weight: 2 }, { ...M, path: '/other', weight: 0.5 }];
      await drive(url, { requests, workers, seed, load: 'poisson:300/300ms' });
      return paths.toSorted();
    };
    const one = await seen(1, 4);
    expect(await seen(2, 4)).toEqual(one);
    expect(await seen(2, 5)).not.toEqual(one);
    expect(new Set(one)).toEqual(new Set(['/other', '/v2/models/m/infer', '/v2/models/n/infer']));
  });

  it('keeps the weights of models', async () => {
    const { url } = await serving(answering((_, path) => answer(path.includes('/n/') ? '2' : '1', 1)));
    const record = await drive(url, { requests: [M, { ...M, model: 'n', weight: 3 }], load: 'constant:800/1s' });
    // A quarter of 800 with a spread of 12; the seed is fixed.
    expect(record.total.versions['m/1']).toBeGreaterThan(150);
    expect(record.total.versions['m/1']).toBeLessThan(250);
    expect(record.total.versions['n/2']).toBe(800 - record.total.versions['m/1']!);
  });

  it('goes through its schedule faster in compressed time, at the same rates', async () => {
    const { url } = await serving(answering(() => ['{}', {}]));
    const record = await drive(url, { load: 'constant:40/20s', compression: 20 });
    addsUp(record);
    expect(record.intervals.map(({ scheduled }) => scheduled)).toEqual(new Array(20).fill(2));
  });

  it('sends the body and the headers that it is given, after the path of the URL', async () => {
    const seen: unknown[] = [];
    const { url } = await serving((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part) => parts.push(part));
      request.on('end', () => {
        seen.push([request.url, Buffer.concat(parts).toString('hex'), request.headers]);
        response.end();
      });
    });
    const body = Uint8Array.from([0, 255, 1]);
    const headers = { 'Content-Type': 'application/octet-stream', 'x-a': 'b' };
    await drive(`${url}/prefix/`, { requests: [{ ...M, body, headers }], deadlineMs: 70, load: 'constant:1/1s' });
    const wanted = {
      'content-type': 'application/octet-stream',
      'content-length': '3',
      'x-a': 'b',
      'kedge-timeout-ms': '70',
    };
    expect(seen).toEqual([['/prefix/v2/models/m/infer', '00ff01', { host: url.slice(7), ...wanted }]]);
  });

  it('tells when the last right answer was in, however late', async () => {
    let last = Promise.resolve();
    const { url } = await serving((request, response) => {
      request.resume();
      last = last.then(() => setTimeout(50)).then(() => void response.end('{}'));
    });
    const { total } = await drive(url, { load: 'constant:100/200ms', workers: 2 });
    expect(total.ok).toBe(20);
    // One after another, each takes 50 ms.
    expect(total.answeredSeconds).toBeGreaterThan(0.9);
    const { total: none } = await drive((await serving((_, response) => response.writeHead(503).end())).url);
    expect(none.answeredSeconds).toBeUndefined();
  });

  it('stops when it is told to, and tells of what it sent', async () => {
    const { url } = await serving(answering(() => ['{}', {}]));
    const controller = new AbortController();
    const record = await drive(
      url,
      { load: 'constant:50/1h' },
      { signal: controller.signal, onInterval: ({ at }) => at === 0 && controller.abort() },
    );
    addsUp(record);
    expect(record.total.ok).toBeGreaterThanOrEqual(50);
    expect(record.intervals.length).toBeLessThan(60);
  });

  it('opens a connection anew after so many requests', async () => {
    const { url, connections } = await serving(answering(() => ['{}', {}]));
    const record = await drive(url, { requestsPerConnection: 5, load: 'constant:100/500ms' });
    expect(record.total.ok).toBe(50);
    expect(connections()).toBeGreaterThanOrEqual(10);
  });
});
