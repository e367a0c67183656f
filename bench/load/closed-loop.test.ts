import { expect, it } from 'vitest';
import { Random } from '../../platform/random.ts';
import { inTurn, saturate } from './closed-loop.ts';
import type { Look } from './tally.ts';
import { M, serving } from './testing/serving.ts';

const options = { requests: [M], connections: 4, seconds: 1, timeoutMs: 20_000 };

it('counts what autocannon does, checks answers, and has latencies below a millisecond', async () => {
  let sent = 0;
  const { url } = await serving((request, response) => {
    request.resume();
    request.on('end', () => {
      sent += 1;
      const y = sent === 5 ? 2 : 1;
      const outputs = [{ name: 'y', datatype: 'FP32', shape: [1], data: [y] }];
      response.writeHead(sent === 8 ? 503 : 200, { 'kedge-model-version': '5' }).end(JSON.stringify({ outputs }));
    });
  });
  const looks: Look[] = [];
  const { total, intervals, problems } = await saturate({ ...options, url }, { onLook: (look) => looks.push(look) });
  const { scheduled, ok, wrong, failed, dropped, versions, statuses } = total;
  expect({ wrong, failed, dropped }).toEqual({ wrong: 1, failed: 1, dropped: 0 });
  expect(ok).toBe(scheduled - 2);
  expect(scheduled).toBeLessThanOrEqual(sent);
  expect(scheduled).toBeGreaterThan(sent - 5);
  expect(versions).toEqual({ 'm/5': ok + 1 });
  expect(statuses).toEqual({ 200: ok + 1, 503: 1 });
  expect(intervals.reduce((sum, interval) => sum + interval.ok, 0)).toBe(ok);
  expect(looks.length).toBeGreaterThan(0);
  expect(total.behindP99).toBeUndefined();
  // One alone may fall upon a whole millisecond.
  const { p50, p90, max } = total.latency!;
  expect([p50, p90, max].every((latency) => Number.isInteger(latency / 1_000))).toBe(false);
  expect(problems!.toSorted()).toEqual([
    expect.stringMatching(/^m: Output 'y' is 2/),
    expect.stringMatching(/^m: status 503/),
  ]);
});

it('counts requests that were lost with their connections, of which autocannon tells nothing', async () => {
  let sent = 0;
  const { url } = await serving((request, response) => {
    sent += 1;
    // Closed in order, not broken.
    if (sent % 10 === 0) request.socket.end();
    else response.end('{}');
  });
  const { total, problems } = await saturate({ ...options, url });
  expect(total.failed).toBeGreaterThan(0);
  expect(total.ok + total.failed).toBe(total.scheduled);
  expect(total.failed).toBeGreaterThanOrEqual(Math.floor(sent / 10) - options.connections);
  expect(problems).toEqual(['the server closed the connection']);
});

it('refuses binary answers, of which autocannon keeps a text, where they are to be judged', async () => {
  const head = JSON.stringify({
    outputs: [{ name: 'y', datatype: 'FP32', shape: [1], parameters: { binary_data_size: 4 } }],
  });
  const { url } = await serving((request, response) => {
    request.resume();
    response
      .setHeader('inference-header-content-length', head.length)
      .end(Buffer.concat([Buffer.from(head), Buffer.from([0, 0, 0xc0, 0xff])]));
  });
  await expect(saturate({ ...options, url })).rejects.toThrow('give it --status-only, ask for JSON');
  const { total } = await saturate({ ...options, url, requests: [{ ...M, check: 'status' }] });
  expect(total.ok).toBeGreaterThan(0);
  expect(total.wrong).toBe(0);
});

it('refuses https, which autocannon does not check', async () => {
  await expect(saturate({ ...options, url: 'https://127.0.0.1:1' })).rejects.toThrow('give it an http:// URL');
});

it('takes requests by their weights', () => {
  const turns = inTurn([M, { ...M, model: 'n', weight: 3 }], new Random(1)).map(({ model }) => model);
  expect([turns.length, turns.filter((model) => model === 'm').length]).toEqual([100, 25]);
  expect(new Set(turns.slice(0, 20))).toEqual(new Set(['m', 'n']));
  expect(inTurn([M], new Random(1))).toEqual([M]);
});
