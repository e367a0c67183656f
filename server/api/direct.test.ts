import { afterAll, beforeAll, expect, it } from 'vitest';
import { linearModel } from '../../contract/onnx/testing/models.ts';
import { postHead, RawConnection } from '../testing/raw-http.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] });
const lacking = JSON.stringify({ inputs: [] });

let volume: TestVolume;
let server: TestServer;

beforeAll(async () => {
  volume = new TestVolume();
  volume.add('m', 1, linearModel());
  await volume.write();
  server = await startTestServer(volume);
  await server.settle();
});
afterAll(async () => {
  await server.stop();
  volume.remove();
});

/** The whole answer to one request, but for its date. */
async function ask(path: string, sent: string, headers: Record<string, string> = {}): Promise<object> {
  const connection = new RawConnection(server.port);
  connection.write(postHead(path, { 'content-length': Buffer.byteLength(sent), ...headers }) + sent);
  const { status, head, body: said } = (await connection.answer())!;
  connection.end();
  const lines = head.split('\r\n').filter((line) => !line.startsWith('date:'));
  return { status, lines: lines.sort(), said };
}

// The second spelling of each is not plain, so the adapter and Hono answer it.
it.each([
  ['an inference', '/v2/models/m/infer', '/v2/models/m/infer/', body],
  ['one with a query', '/v2/models/m/infer', '/v2/models/m/infer?now', body],
  ['one of a version', '/v2/models/m/versions/1/infer', '/v2/models/%6d/versions/1/infer', body],
  ['what does not fit', '/v2/models/m/infer', '/v2/models/%6d/infer', lacking],
  ['what is no JSON', '/v2/models/m/infer', '/v2/models/m/infer/', '{'],
  ['an empty body', '/v2/models/m/infer', '/v2/models/m/infer/', ''],
  ['an unknown version', '/v2/models/m/versions/7/infer', '/v2/models/m/versions/7/infer/', body],
  ['an unknown model', '/v2/models/nobody/infer', '/v2/models/nobody/infer/', body],
])('%s is answered the same on both ways', async (_name, plain, other, sent) => {
  const direct = await ask(plain, sent);
  expect(direct).toEqual(await ask(other, sent));
  expect(direct).toMatchObject({ status: expect.any(Number), said: expect.stringMatching(/^\{/) });
});

it.each([
  ['no Host', 'POST /v2/models/m/infer HTTP/1.1\r\ncontent-length: 0\r\n\r\n'],
  ['a Host that is none', postHead('/v2/models/m/infer', { host: 'a b', 'content-length': 0 })],
  ['a Host with a port that is none', postHead('/v2/models/m/infer', { host: 'a:99999', 'content-length': 0 })],
])('with %s it is refused', async (_name, head) => {
  const connection = new RawConnection(server.port);
  connection.write(head);
  expect(await connection.answer()).toMatchObject({
    status: 400,
    body: expect.stringContaining('"code":"request-malformed"'),
  });
  connection.end();
});

it('several in one packet are answered in their order, on one connection', async () => {
  const connection = new RawConnection(server.port);
  const bodies = [1, 2, 3].map((x) => body.replace('[1,2]}', `[${x},0]}`));
  connection.write(
    bodies.map((sent) => postHead('/v2/models/m/infer', { 'content-length': sent.length }) + sent).join(''),
  );
  for (const y of [3, 5, 7]) {
    expect(await connection.answer()).toMatchObject({ status: 200, body: expect.stringContaining(`"data":[${y}]`) });
  }
  connection.end();
});

it('a client of which the rest of a refused body never comes is let go', async () => {
  const connection = new RawConnection(server.port);
  connection.write(postHead('/v2/models/nobody/infer', { 'content-length': 1_000 }) + body);
  expect(await connection.answer()).toMatchObject({ status: 404 });
  expect(await connection.answer()).toBeUndefined();
});
