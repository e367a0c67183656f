import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askPod, type PodOptions } from './ask-pod.ts';

/** Answers after ten milliseconds, and counts as a server of Kedge does how long requests were under way. */
let underWaySeconds = 0;
let answered = 0;
const server = createServer((request, response) => {
  if (request.url === '/metrics')
    return void response.end(`x 7\nkedge_inflight_seconds_total{a="b"} ${underWaySeconds}\n`);
  if (request.method === 'GET') return void response.end('none');
  const began = performance.now();
  const answer = (): void => {
    underWaySeconds += (performance.now() - began) / 1_000;
    answered += 1;
    response.end('{}');
  };
  request.resume().on('end', () => void setTimeout(answer, 10));
});
let url: string;
beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close().closeAllConnections());

function pod(metricsUrl: string | undefined): PodOptions {
  const request = { model: 'm', weight: 1, body: '{}' };
  return { url, request, metricsUrl, maxOutstanding: 64, signal: new AbortController().signal };
}

it('a rate is held, and what is under way is what the pod counted', async () => {
  const { total, seconds, inFlight } = await askPod(pod(`${url}/metrics`))(100, 0.5);
  expect(total.ok).toBe(total.scheduled);
  expect(total.ok).toBe(answered);
  expect(seconds).toBe(0.5);
  expect(inFlight).toBeCloseTo(underWaySeconds / 0.5, 9);
});

it('is left open where no metrics are named', async () => {
  expect((await askPod(pod(undefined))(50, 0.2)).inFlight).toBeUndefined();
});

it('metrics without the counter are none', async () => {
  const message = /does not tell how many requests are under way: it has no such counter/;
  await expect(askPod(pod(`${url}/other`))(50, 0.2)).rejects.toThrow(message);
  await expect(askPod(pod('http://127.0.0.1:9/metrics'))(50, 0.2)).rejects.toThrow(/fetch failed|bad port/);
});
