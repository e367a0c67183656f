import { Agent, request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { identityModel, linearModel } from '../../contract/onnx/testing/models.ts';
import { Random } from '../../platform/random.ts';
import { type HostileRequest, hostileRequest } from '../testing/hostile.ts';
import { post, startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

const COUNT = 10_000;
const PARALLEL = 16;
const SEED = 20_261_124;

let volume: TestVolume;
let server: TestServer;
const agent = new Agent({ keepAlive: true, maxSockets: PARALLEL });

beforeAll(async () => {
  volume = new TestVolume();
  volume.add('m', 1, linearModel());
  volume.add('text', 1, identityModel({ type: 'string' }));
  volume.add('i64', 1, identityModel({ type: 'int64' }));
  volume.add('grid', 1, identityModel({ dims: ['N', 'M'] }));
  await volume.write();
  server = await startTestServer(volume, { KEDGE_MAX_BODY_MB: '1' });
  await server.settle();
});
afterAll(async () => {
  agent.destroy();
  await server.stop();
  volume.remove();
});

interface Answer {
  status: number;
  type: string | undefined;
  text: string;
}

function send({ method, path, headers, body }: HostileRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        port: server.port,
        host: '127.0.0.1',
        agent,
        method,
        path,
        headers: { ...headers, 'content-length': body.length },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode!,
            type: incoming.headers['content-type'],
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** What is wrong with an answer; undefined if nothing is. 501 is for encodings, 503 for deadlines that no answer could hold. */
function fault({ status, type, text }: Answer, { headers }: HostileRequest): string | undefined {
  if (status === 501 && headers['content-encoding'] !== undefined) return undefined;
  if (status === 503 && /"code":"(overloaded|engine-timeout)"/.test(text)) return undefined;
  if (status >= 500) return `answered ${status}: ${text.slice(0, 200)}`;
  if (status === 200) return undefined;
  if (type !== 'application/json') return `answered ${status} as ${type}`;
  return typeof JSON.parse(text).error === 'string' ? undefined : `answered ${status} without a reason`;
}

it(`${COUNT} hostile requests: none gets a 5xx or ends a connection, and good ones between them are answered`, async () => {
  const random = new Random(SEED);
  const good = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] };
  const statuses = new Map<number, number>();
  const faults: string[] = [];
  for (let sent = 0; sent < COUNT; sent += PARALLEL) {
    const batch = Array.from({ length: Math.min(PARALLEL, COUNT - sent) }, () => hostileRequest(random));
    const answers = await Promise.all(batch.map(send));
    for (const [index, answer] of answers.entries()) {
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const wrong = fault(answer, batch[index]!);
      const { method, path, headers, body } = batch[index]!;
      if (wrong) faults.push(`${method} ${path} ${JSON.stringify(headers)} ${body.toString().slice(0, 400)} ${wrong}`);
    }
    if (sent % (PARALLEL * 25) === 0) {
      expect((await post(`${server.url}/v2/models/m/infer`, good)).body.outputs[0].data).toEqual([9]);
    }
  }
  expect(faults.slice(0, 5)).toEqual([]);
  // They reach all of what they are to reach, not only the first check.
  for (const status of [200, 400, 404, 405, 501]) expect([status, statuses.get(status)! > 20]).toEqual([status, true]);
  expect((await post(`${server.url}/v2/models/m/infer`, good)).status).toBe(200);
  expect(server.manager.model('m')?.active?.isReady).toBe(true);
}, 60_000);
