import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { LoadInterval, LoadRecord } from '../report/record.ts';
import { driveLoad, type LoadHooks } from './drive-load.ts';
import type { LoadOptions, LoadRequest } from './load-options.ts';
import { parseSchedule } from './schedule-spec.ts';

const closers: (() => void)[] = [];

async function serving(onRequest: RequestListener): Promise<string> {
  const server: Server = createServer(onRequest);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const M: LoadRequest = { model: 'm', weight: 1, body: '{}' };

function drive(
  url: string,
  options: Partial<LoadOptions> & { load?: string } = {},
  hooks?: LoadHooks,
): Promise<LoadRecord> {
  const { load = 'constant:200/300ms', ...rest } = options;
  return driveLoad(
    { url, requests: [M], schedule: parseSchedule(load, String), timeoutMs: 20_000, maxOutstanding: 5_000, ...rest },
    hooks,
  );
}

function answer(version: string, y: number, digest = `sha256:${version}`): [string, Record<string, string>] {
  const outputs = [{ name: 'y', datatype: 'FP32', shape: [1], data: [y] }];
  const headers = { 'kedge-model-version': version, 'kedge-model-digest': digest };
  return [JSON.stringify({ model_name: 'm', model_version: version, outputs }), headers];
}

/** Answers the request with each number, from 0. */
function answering(of: (number: number, path: string) => [string, Record<string, string>]): RequestListener {
  let number = 0;
  return (request, response) => {
    request.resume();
    request.on('end', () => {
      const [body, headers] = of(number, request.url!);
      number += 1;
      response.writeHead(200, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
    });
  };
}

function addsUp({ intervals, total }: LoadRecord): void {
  for (const { scheduled, ok, wrong, failed, dropped, statuses } of [...intervals, total]) {
    expect(ok + wrong + failed + dropped).toBe(scheduled);
    expect(Object.values(statuses).reduce((sum, count) => sum + count, 0)).toBe(scheduled - dropped);
  }
  for (const key of ['scheduled', 'ok', 'wrong', 'failed', 'dropped'] as const) {
    expect(intervals.reduce((sum, interval) => sum + interval[key], 0)).toBe(total[key]);
  }
  expect(intervals.map(({ at }) => at)).toEqual(intervals.map((_, index) => index));
}

describe('sending', () => {
  it.each([1, 3])(
    'sends what its schedule has, over %s threads, and tells of each second in order',
    async (workers) => {
      const url = await serving(answering(() => answer('7', 1)));
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
      const url = await serving(answering((_, path) => [paths.push(path) ? '{}' : '', {}]));
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
    const url = await serving(answering((_, path) => answer(path.includes('/n/') ? '2' : '1', 1)));
    const record = await drive(url, { requests: [M, { ...M, model: 'n', weight: 3 }], load: 'constant:800/1s' });
    // A quarter of 800 with a spread of 12; the seed is fixed.
    expect(record.total.versions['m/1']).toBeGreaterThan(150);
    expect(record.total.versions['m/1']).toBeLessThan(250);
    expect(record.total.versions['n/2']).toBe(800 - record.total.versions['m/1']!);
  });

  it('goes through its schedule faster in compressed time, at the same rates', async () => {
    const url = await serving(answering(() => ['{}', {}]));
    const record = await drive(url, { load: 'constant:40/20s', compression: 20 });
    addsUp(record);
    expect(record.intervals.map(({ scheduled }) => scheduled)).toEqual(new Array(20).fill(2));
  });

  it('sends the body and the headers that it is given, after the path of the URL', async () => {
    const seen: unknown[] = [];
    const url = await serving((request, response) => {
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

  it('stops when it is told to, and tells of what it sent', async () => {
    const url = await serving(answering(() => ['{}', {}]));
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
    let connections = 0;
    const counted = createServer(answering(() => ['{}', {}])).on('connection', () => {
      connections += 1;
    });
    await new Promise<void>((resolve) => counted.listen(0, '127.0.0.1', resolve));
    closers.push(() => counted.close());
    const target = `http://127.0.0.1:${(counted.address() as AddressInfo).port}`;
    const record = await drive(target, { requestsPerConnection: 5, load: 'constant:100/500ms' });
    expect(record.total.ok).toBe(50);
    expect(connections).toBeGreaterThanOrEqual(10);
  });
});

describe('what goes wrong', () => {
  it('drops what is over the cap, and ends what takes too long', async () => {
    const url = await serving(() => undefined);
    const record = await drive(url, { maxOutstanding: 4, workers: 2, timeoutMs: 1_500, load: 'constant:100/1s' });
    addsUp(record);
    expect(record.total).toMatchObject({ scheduled: 100, ok: 0, failed: 4, dropped: 96, statuses: { none: 4 } });
    expect(record.intervals[0]).toMatchObject({ inFlight: 4 });
    expect(record.total.latency).toBeUndefined();
    expect(record.problems).toEqual(['m: no answer in time']);
  });

  it('tells statuses from each other; a redirect is not followed', async () => {
    const statuses = [200, 503, 302, 200];
    let number = 0;
    const url = await serving((_, response) => {
      response.writeHead(statuses[number % 4]!, { location: '/' }).end('no');
      number += 1;
    });
    const record = await drive(url, { load: 'constant:100/400ms' });
    addsUp(record);
    expect(record.total).toMatchObject({ ok: 20, failed: 20, statuses: { 200: 20, 302: 10, 503: 10 } });
    expect(new Set(record.problems)).toEqual(new Set(['m: status 302: no', 'm: status 503: no']));
  });

  it('counts requests over a connection that breaks as failed, and sends none of them again', async () => {
    let requests = 0;
    const url = await serving((request) => {
      requests += 1;
      request.socket.destroy();
    });
    const record = await drive(url);
    addsUp(record);
    expect(record.total).toMatchObject({ scheduled: 60, failed: 60, statuses: { none: 60 } });
    expect(requests).toBe(60);
  });

  it('goes on when the server dies', async () => {
    let server: Server | undefined;
    let answered = 0;
    const listener: RequestListener = (_, response) => {
      response.end('{}');
      answered += 1;
      if (answered === 20) setImmediate(() => [server!.close(), server!.closeAllConnections()]);
    };
    server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const record = await drive(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      load: 'constant:200/1s',
    });
    addsUp(record);
    expect(record.total.scheduled).toBe(200);
    expect(record.total.ok).toBeGreaterThanOrEqual(19);
    expect(record.total.failed).toBe(200 - record.total.ok);
    expect(record.problems!.join()).toContain('ECONNREFUSED');
  });

  it('counts what is no answer of HTTP as none', async () => {
    const server = createTcpServer((socket) =>
      socket.on('error', () => 0).on('data', () => socket.end('hello\r\n\r\n')),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => server.close());
    const record = await drive(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(record.total).toMatchObject({ failed: 60, statuses: { none: 60 } });
    expect(record.problems).toEqual(['m: what came is no answer of HTTP/1.1']);
  });
});

describe('wrong answers', () => {
  it('finds the one that differs from the others of its version', async () => {
    const url = await serving(
      answering((number) => answer(number < 10 ? '1' : '2', number === 59 ? 8 : number < 10 ? 3 : 4)),
    );
    const record = await drive(url);
    addsUp(record);
    expect(record.total).toMatchObject({
      ok: 59,
      wrong: 1,
      failed: 0,
      statuses: { 200: 60 },
      versions: { 'm/1': 10, 'm/2': 50 },
    });
    expect(record.problems).toEqual([expect.stringMatching(/^m: .*y.* is 8 .*expected 4/)]);
  });

  it('finds a version whose digest changes', async () => {
    const url = await serving(answering((number) => answer('1', 3, number === 59 ? 'sha256:b' : 'sha256:a')));
    const record = await drive(url);
    expect(record.total).toMatchObject({ ok: 59, wrong: 1 });
    expect(record.problems).toEqual(['m: version 1 has digest sha256:b, and had sha256:a before']);
  });

  it('holds answers against what is wanted, with a tolerance', async () => {
    const url = await serving(answering((number) => answer('1', [3, 3.000_01, 3.1][number % 3]!)));
    const check = { outputs: [{ name: 'y', datatype: 'FP32', shape: [1], data: [3] }] };
    const strict = { ...check, tolerance: { abs: 0, rel: 0 } };
    expect((await drive(url, { requests: [{ ...M, check }] })).total).toMatchObject({ ok: 40, wrong: 20 });
    expect((await drive(url, { requests: [{ ...M, check: strict }] })).total).toMatchObject({ ok: 20, wrong: 40 });
    expect((await drive(url, { requests: [{ ...M, check: 'status' }] })).total).toMatchObject({ ok: 60, wrong: 0 });
  });
});
