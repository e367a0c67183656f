import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askPod, type PodOptions } from './ask-pod.ts';
import { pointOf } from './measure.ts';

/** Answers after ten milliseconds, and counts as a server of Kedge does how long requests were under way. */
let underWaySeconds = 0;
let answered = 0;
/** What it told so far. */
const told: number[] = [];
const server = createServer((request, response) => {
  if (request.url === '/metrics') {
    told.push(underWaySeconds);
    return void response.end(`x 7\nkedge_inflight_seconds_total{a="b"} ${underWaySeconds}\n`);
  }
  if (request.method === 'GET') return void response.end('none');
  const began = performance.now();
  const answer = (): void => {
    underWaySeconds += (performance.now() - began) / 1_000;
    answered += 1;
    response.end('{}');
  };
  request.resume().on('end', () => void setTimeout(10).then(answer));
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
  const { total, seconds, inFlight } = await askPod(pod(`${url}/metrics`))(100, 0.5, 5_000);
  expect(total.ok).toBe(total.scheduled);
  expect(total.ok).toBe(answered);
  expect(seconds).toBe(0.5);
  expect(told[1]).toBeGreaterThan(0);
  expect(inFlight).toBeCloseTo((told[1]! - told[0]!) / 0.5, 9);
});

it('is left open where no metrics are named', async () => {
  expect((await askPod(pod(undefined))(50, 0.2, 5_000)).inFlight).toBeUndefined();
});

it('metrics without the counter are none', async () => {
  const message = /does not tell how many requests are under way: it has no such counter/;
  await expect(askPod(pod(`${url}/other`))(50, 0.2, 5_000)).rejects.toThrow(message);
  await expect(askPod(pod('http://127.0.0.1:9/metrics'))(50, 0.2, 5_000)).rejects.toThrow(/fetch failed|bad port/);
});

it('what is not answered when the rate is over is told, and is not awaited for the metrics', async () => {
  let [inFlight, since, sum] = [0, performance.now(), 0];
  const count = (change: number): void => {
    const now = performance.now();
    sum += (inFlight * (now - since)) / 1_000;
    [inFlight, since] = [inFlight + change, now];
  };
  // One at a time, 50 ms each: 20 a second at most.
  let turn = Promise.resolve();
  const serial = createServer((asked, response) => {
    if (asked.method === 'GET') {
      count(0);
      return void response.end(`kedge_inflight_seconds_total ${sum}\n`);
    }
    count(1);
    asked.resume();
    turn = turn
      .then(() => setTimeout(50))
      .then(() => {
        count(-1);
        response.end('{}');
      });
  });
  await new Promise<void>((listening) => serial.listen(0, '127.0.0.1', listening));
  try {
    const at = `http://127.0.0.1:${(serial.address() as AddressInfo).port}`;
    const trial = await askPod({ ...pod(`${at}/metrics`), url: at })(60, 1, 10_000);
    expect(trial.total.ok).toBe(trial.total.scheduled);
    // At most 20 of about 60.
    expect(trial.left).toBeGreaterThan(20);
    expect(pointOf(trial).rate).toBeLessThan(25);
    // What was under way within that second, and not all that was until the last answer.
    expect(trial.inFlight).toBeLessThan(sum * 0.7);
  } finally {
    serial.close().closeAllConnections();
  }
});
