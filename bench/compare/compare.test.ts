import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { small } from '../serving/models.ts';
import { isReached } from '../verdict.ts';
import { benchCompare } from './compare.ts';
import { parseThere } from './contenders.ts';

/** Answers as the model of {@link small} does, but for its value. */
const liar = createServer((request, response) => {
  const outputs = [{ name: 'y', datatype: 'FP32', shape: [1, 1], data: [7] }];
  const body = JSON.stringify({ model_name: 'hot', model_version: '1', outputs });
  request.resume().on('end', () => response.writeHead(200, { 'content-length': body.length }).end(body));
});
beforeAll(() => new Promise<void>((listening) => void liar.listen(0, '127.0.0.1', listening)));
afterAll(() => void liar.close().closeAllConnections());

it('a server that answers otherwise than Kedge is found out', async () => {
  let text = '';
  const out = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const there = parseThere(`liar=http://127.0.0.1:${(liar.address() as AddressInfo).port}/v2/models/hot/infer`);
  const asked = { rounds: 1, seconds: 0.5, connections: 4, rate: 20, peers: [], install: false, there: [there] };
  const io = { out, signal: new AbortController().signal };
  const { figures } = await benchCompare({ ...asked, model: small('hot') }, io);
  const [ours, theirs] = figures;
  expect(theirs!.what).toMatch(/^liar/);
  expect(isReached(theirs!)).toBe(false);
  // Each of the open loop; the closed one looks at statuses alone.
  expect(theirs!.measured[0]).toBeGreaterThan(0);
  expect(ours!.measured[0]).toBeLessThan(theirs!.measured[0]!);
  expect(text).toMatch(/kedge to/);
}, 120_000);

describe('a server that is there', () => {
  it('has a name and a path', () => {
    const { name, url } = parseThere('triton=http://10.0.0.7:8000/v2/models/m/infer');
    expect([name, url.href]).toEqual(['triton', 'http://10.0.0.7:8000/v2/models/m/infer']);
  });

  it.each(['http://10.0.0.7:8000/v2/models/m/infer', 'triton=10.0.0.7', 'triton=https://a/v2', 'triton=http://a/'])(
    'is not %s',
    (text) => expect(() => parseThere(text)).toThrow(/--url takes NAME=http/),
  );
});
