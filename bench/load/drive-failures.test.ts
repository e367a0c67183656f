import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { addsUp, answer, answering, drive, M, serving } from './testing/serving.ts';

describe('what goes wrong', () => {
  it('drops what is over the cap, and ends what takes too long', async () => {
    const { url } = await serving(() => undefined);
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
    const { url } = await serving((_, response) => {
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
    const { url } = await serving((request) => {
      requests += 1;
      request.socket.destroy();
    });
    const record = await drive(url);
    addsUp(record);
    expect(record.total).toMatchObject({ scheduled: 60, failed: 60, statuses: { none: 60 } });
    expect(requests).toBe(60);
  });

  it('goes on when the server dies', async () => {
    let answered = 0;
    const server = await serving((_, response) => {
      response.end('{}');
      answered += 1;
      if (answered === 20) setImmediate(() => server.close());
    });
    const record = await drive(server.url, { load: 'constant:200/1s' });
    addsUp(record);
    expect(record.total.scheduled).toBe(200);
    expect(record.total.ok).toBeGreaterThanOrEqual(19);
    expect(record.total.failed).toBe(200 - record.total.ok);
    expect(record.problems!.join()).toContain('ECONNREFUSED');
  });

  it('counts what is no answer of HTTP as none', async () => {
    const server = createServer((socket) =>
      socket.on('error', () => undefined).on('data', () => socket.end('hello\r\n\r\n')),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const record = await drive(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.close();
    expect(record.total).toMatchObject({ failed: 60, statuses: { none: 60 } });
    expect(record.problems).toEqual(['m: what came is no answer of HTTP/1.1']);
  });
});

describe('wrong answers', () => {
  it('finds the one that differs from the others of its version', async () => {
    const { url } = await serving(
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
    const { url } = await serving(answering((number) => answer('1', 3, number === 59 ? 'sha256:b' : 'sha256:a')));
    const record = await drive(url);
    expect(record.total).toMatchObject({ ok: 59, wrong: 1 });
    expect(record.problems).toEqual(['m: version 1 has digest sha256:b, and had sha256:a before']);
  });

  it('holds answers against what is wanted, with a tolerance', async () => {
    const { url } = await serving(answering((number) => answer('1', [3, 3.000_01, 3.1][number % 3]!)));
    const check = { outputs: [{ name: 'y', datatype: 'FP32', shape: [1], data: [3] }] };
    const strict = { ...check, tolerance: { abs: 0, rel: 0 } };
    expect((await drive(url, { requests: [{ ...M, check }] })).total).toMatchObject({ ok: 40, wrong: 20 });
    expect((await drive(url, { requests: [{ ...M, check: strict }] })).total).toMatchObject({ ok: 20, wrong: 40 });
    expect((await drive(url, { requests: [{ ...M, check: 'status' }] })).total).toMatchObject({ ok: 60, wrong: 0 });
  });
});

describe('what cannot be sent', () => {
  it.each([
    ['no requests', { requests: [] }, /no requests/],
    ['a weight of 0', { requests: [{ ...M, weight: 0 }] }, /weight of m must be over 0/],
    ['an address of nothing', { url: 'ftp://a' }, /http:\/\/ or https:\/\//],
    ['no room', { maxOutstanding: 0 }, /maxOutstanding/],
    [
      'wanted outputs that are none',
      { requests: [{ ...M, check: { outputs: [{ name: 'y', datatype: 'INT8', shape: [1], data: [999] }] } }] },
      /INT8/,
    ],
  ])('%s is refused before a thread starts', async (_, options, message) => {
    const { code } = (await drive('http://127.0.0.1:1', options).catch((error: unknown) => error)) as { code: string };
    expect(code).toMatch(/^(config|document)-invalid$/);
    await expect(drive('http://127.0.0.1:1', options)).rejects.toThrow(message);
  });
});
