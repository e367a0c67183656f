import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { linearModel } from '../../contract/onnx/testing/models.ts';
import { postHead, RawConnection } from '../testing/raw-http.ts';
import { get, post, startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

/** Bodies are counted while they come, packed and unpacked, and no more of them are held than KEDGE_QUEUE_MB allows. */

const MIB = 2 ** 20;
const PATH = '/v2/models/m/infer';
const good = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] };
const bomb = gzipSync(Buffer.from(JSON.stringify(good).padEnd(MIB)));

let volume: TestVolume;
let server: TestServer;
beforeAll(async () => {
  volume = new TestVolume();
  volume.add('m', 1, linearModel());
  await volume.write();
  server = await startTestServer(volume, { KEDGE_QUEUE_MB: '1' });
  await server.settle();
});
afterAll(async () => {
  await server.stop();
  volume.remove();
});

async function turnedAway(): Promise<number> {
  const text = await (await fetch(`${server.admin}/metrics`)).text();
  return Number(/^kedge_turned_away_total\{.*model="m",.*reason="bytes"\} (\d+)$/m.exec(text)?.[1]);
}

/** An upload that stands still before its last byte, and takes all of the room but some for small requests. */
async function stalled(): Promise<RawConnection> {
  const connection = new RawConnection(server.port);
  connection.write(postHead(PATH, { 'content-length': MIB }) + ' '.repeat(MIB - 1_000));
  // Bytes are counted as they come: an upload of half of the room finds too little of it once all are here.
  await vi.waitFor(async () => {
    expect(await (await fetch(server.url + PATH, { method: 'POST', body: ' '.repeat(1_001) })).status).toBe(503);
  });
  return connection;
}

const overloaded = { status: 503, body: { code: 'overloaded', error: expect.stringMatching(/KEDGE_QUEUE_MB/) } };
const unpacked = () => get(server.url + PATH, { method: 'POST', body: bomb, headers: { 'content-encoding': 'gzip' } });

it('a stalled upload leaves room for what is small, and what is large is refused as it comes or is unpacked', async () => {
  const connection = await stalled();
  const before = await turnedAway();
  expect(before).toBeGreaterThan(0);
  expect((await post(server.url + PATH, good)).status).toBe(200);
  expect(await unpacked()).toMatchObject(overloaded);
  expect(await post(server.url + PATH, JSON.stringify(good).padEnd(MIB / 2))).toMatchObject(overloaded);
  expect(await post(`${server.url}/v2/repository/index`, ' '.repeat(MIB / 2))).toMatchObject(overloaded);
  expect(await turnedAway()).toBe(before + 2);
  // Its client goes, and the room is there again.
  connection.end();
  await vi.waitFor(async () => expect((await unpacked()).status).toBe(200));
});

it('a request that finds nothing of others is taken whatever its size', async () => {
  expect((await post(server.url + PATH, JSON.stringify(good).padEnd(3 * MIB))).status).toBe(200);
  expect((await unpacked()).status).toBe(200);
});

it('many that become large share the room in turns, and all give it back', async () => {
  const statuses = (await Promise.all(Array.from({ length: 20 }, unpacked))).map(({ status }) => status);
  expect(statuses).toContain(200);
  expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
  expect((await unpacked()).status).toBe(200);
  expect((await post(server.url + PATH, JSON.stringify(good).padEnd(3 * MIB))).status).toBe(200);
});
