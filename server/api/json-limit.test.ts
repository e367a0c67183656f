import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { linearModel } from '../../contract/onnx/testing/models.ts';
import { postHead, RawConnection } from '../testing/raw-http.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

/** The limit of JSON, which is parsed on the serving loop, apart from that of bodies. */

const MIB = 2 ** 20;
const LENGTH = 'inference-header-content-length';
const INFER = '/v2/models/m/infer';
const PREDICT = '/v1/models/m:predict';
const json = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] });
const padded = (bytes: number): Buffer => Buffer.from(json.padEnd(bytes));
const rows = 200_000;
const tensors = Buffer.from(new Float32Array(2 * rows).buffer);
const binary = JSON.stringify({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [rows, 2], parameters: { binary_data_size: tensors.length } }],
  parameters: { binary_data_output: true },
});

let volume: TestVolume;
let server: TestServer;
let connection: RawConnection;
beforeAll(async () => {
  volume = new TestVolume();
  volume.add('m', 1, linearModel());
  await volume.write();
  server = await startTestServer(volume, { KEDGE_MAX_JSON_MB: '1', KEDGE_MAX_ROWS: String(rows) });
  await server.settle();
});
afterAll(async () => {
  await server.stop();
  volume.remove();
});
beforeEach(() => {
  connection = new RawConnection(server.port);
});
afterEach(() => connection.end());

async function send(path: string, body: Buffer, headers: Record<string, string | number> = {}) {
  connection.write(postHead(path, { 'content-length': body.length, ...headers }));
  connection.write(body);
  return await connection.answer();
}

const refused = {
  status: 413,
  body: expect.stringMatching(/JSON .*over the limit of 1 MiB: send the tensors as binary.*"body-too-large"/),
};

it.each<[string, string, Buffer, Record<string, string | number>]>([
  ['by its length', INFER, padded(MIB + 1), {}],
  ['by its length, of a prediction in rows', PREDICT, padded(MIB + 1), {}],
  ['of a request for the repository', '/v2/repository/index', padded(MIB + 1), {}],
  ['once inflated', INFER, gzipSync(padded(8 * MIB)), { 'content-encoding': 'gzip' }],
  ['before tensors', INFER, Buffer.concat([padded(MIB + 1), tensors]), { [LENGTH]: MIB + 1 }],
  ['before tensors, inflated', INFER, gzipSync(padded(8 * MIB)), { 'content-encoding': 'gzip', [LENGTH]: 8 * MIB }],
  ['where a prediction in rows says that it has tensors', PREDICT, padded(MIB + 1), { [LENGTH]: 10 }],
])('JSON over its limit is refused %s, and the next request answered', async (_title, path, body, headers) => {
  expect(await send(path, body, headers)).toMatchObject(refused);
  expect((await send(INFER, Buffer.from(json)))?.status).toBe(200);
});

it('JSON up to its limit is taken, and more than that of tensors', async () => {
  expect((await send(INFER, padded(MIB)))?.status).toBe(200);
  const body = Buffer.concat([Buffer.from(binary), tensors]);
  expect(body.length).toBeGreaterThan(MIB);
  expect((await send(INFER, body, { [LENGTH]: binary.length }))?.status).toBe(200);
  const headers = { [LENGTH]: binary.length, 'content-encoding': 'gzip' };
  expect((await send(INFER, gzipSync(body), headers))?.status).toBe(200);
});
