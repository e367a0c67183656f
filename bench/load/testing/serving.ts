import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect } from 'vitest';
import type { LoadRecord } from '../../report/record.ts';
import { driveLoad, type LoadHooks } from '../drive-load.ts';
import type { LoadOptions, LoadRequest } from '../load-options.ts';
import { parseSchedule } from '../schedule-spec.ts';

const open: Serving[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

/** A server of one test. */
export interface Serving {
  url: string;
  /** Connections that it took so far. */
  connections(): number;
  /** At once, as a process that is killed. */
  close(): void;
}

export async function serving(onRequest: RequestListener): Promise<Serving> {
  let connections = 0;
  const server = createServer(onRequest).on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const one: Serving = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
  open.push(one);
  return one;
}

/** Answers the request with each number, from 0, by a body and headers. */
export function answering(of: (number: number, path: string) => [string, Record<string, string>]): RequestListener {
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

/** An answer of the Open Inference Protocol as a Kedge of this version gives it. */
export function answer(version: string, y: number, digest = `sha256:${version}`): [string, Record<string, string>] {
  const outputs = [{ name: 'y', datatype: 'FP32', shape: [1], data: [y] }];
  const headers = { 'kedge-model-version': version, 'kedge-model-digest': digest };
  return [JSON.stringify({ model_name: 'm', model_version: version, outputs }), headers];
}

export const M: LoadRequest = { model: 'm', weight: 1, body: '{}' };

/** @param options a load as on the command line, and what else differs from a short run that nothing limits */
export function drive(
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

/** Every request is one of ok, wrong, failed and dropped, in each interval and in all. */
export function addsUp({ intervals, total }: LoadRecord): void {
  for (const { scheduled, ok, wrong, failed, dropped, statuses } of [...intervals, total]) {
    expect(ok + wrong + failed + dropped).toBe(scheduled);
    expect(Object.values(statuses).reduce((sum, count) => sum + count, 0)).toBe(scheduled - dropped);
  }
  for (const key of ['scheduled', 'ok', 'wrong', 'failed', 'dropped'] as const) {
    expect(intervals.reduce((sum, interval) => sum + interval[key], 0)).toBe(total[key]);
  }
  expect(intervals.map(({ at }) => at)).toEqual(intervals.map((_, index) => index));
}
