import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { integerDivision, linearModel, loopByRequest } from '../contract/onnx/testing/models.ts';
import { get, post, type Reply, startTestServer, type TestServer } from './testing/test-server.ts';
import { TestVolume } from './testing/volume.ts';

let volume: TestVolume;
let servers: TestServer[];

beforeEach(() => {
  volume = new TestVolume();
  servers = [];
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  volume.remove();
});

async function start(env: Record<string, string> = {}): Promise<TestServer> {
  const server = await startTestServer(volume, env);
  servers.push(server);
  await server.settle();
  return server;
}

/** y = 2 a + 3 b + version, so that an answer tells its version. */
const modelOf = (version: number): Uint8Array => linearModel({ bias: [version] });
const request = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [10, 100] }] };
const answerOf = (version: number): number => 320 + version;

async function drop(...versions: number[]): Promise<void> {
  for (const version of versions) volume.add('m', version, modelOf(version));
  await volume.write();
}

const activeOf = async ({ url }: TestServer): Promise<string | null> =>
  (await get(`${url}/v2/models/m/versions`)).body.active;

async function waitForActive(server: TestServer, version: number): Promise<void> {
  await vi.waitFor(async () => expect(await activeOf(server)).toBe(String(version)), { timeout: 20_000, interval: 5 });
}

/** Clients that send without pause until they are stopped, and what they got. */
function startClients(url: string, path: string, count = 4): { replies: Reply[]; stop(): Promise<void> } {
  const replies: Reply[] = [];
  let stopped = false;
  const client = async (): Promise<void> => {
    while (!stopped) replies.push(await post(url + path, request));
  };
  const clients = Array.from({ length: count }, client);
  return {
    replies,
    stop: async () => {
      stopped = true;
      await Promise.all(clients);
    },
  };
}

function expectRight(replies: readonly Reply[]): void {
  expect(replies.filter(({ status }) => status !== 200)).toEqual([]);
  for (const { body, headers } of replies) {
    expect(body.outputs[0].data).toEqual([answerOf(Number(body.model_version))]);
    expect(headers.get('kedge-model-version')).toBe(body.model_version);
  }
}

describe.each(['inline', 'host'])('10.5 (34) under requests without pause, %s', (engine) => {
  it('versions roll forward and back, and every answer is that of its version', async () => {
    await drop(1);
    const server = await start({ KEDGE_ENGINE: engine });
    const clients = startClients(server.url, '/v2/models/m/infer');
    for (const version of [2, 3, 4]) {
      await drop(version);
      await waitForActive(server, version);
    }
    volume.rollout('m', { pin: 3 });
    await volume.write();
    await waitForActive(server, 3);
    volume.rollout('m', { retired: [3] });
    await volume.write();
    await waitForActive(server, 4);
    await clients.stop();
    expectRight(clients.replies);
    expect(new Set(clients.replies.map(({ body }) => body.model_version))).toEqual(new Set(['1', '2', '3', '4']));
  }, 60_000);

  it('the version before answers by its number until it is released', async () => {
    await drop(1);
    const server = await start({ KEDGE_ENGINE: engine });
    const clients = startClients(server.url, '/v2/models/m/versions/1/infer', 2);
    await drop(2);
    await waitForActive(server, 2);
    await clients.stop();
    expectRight(clients.replies);
    await drop(3);
    await waitForActive(server, 3);
    await server.settle();
    const { status, body } = await post(`${server.url}/v2/models/m/versions/1/infer`, request);
    expect([status, body.code]).toEqual([503, 'model-not-ready']);
  }, 60_000);
});

describe('a candidate leaves readiness and the active version alone', () => {
  const wrongSample = {
    inputs: { x: { datatype: 'FP32' as const, shape: [1, 2], data: [10, 100] } },
    outputs: { y: { datatype: 'FP32' as const, shape: [1, 1], data: [-1] } },
    tolerance: { abs: 1e-5, rel: 1e-4 },
  };
  const endless = {
    inputs: {
      x: { datatype: 'FP32' as const, shape: [1, 3], data: [1, 2, 3] },
      steps: { datatype: 'INT64' as const, shape: [1], data: [1n << 62n] },
    },
    outputs: { y: { datatype: 'FP32' as const, shape: [1, 3], data: [1, 2, 3] } },
    tolerance: { abs: 0, rel: 0 },
  };
  const fatal = {
    inputs: {
      a: { datatype: 'INT64' as const, shape: [1], data: [-(1n << 63n)] },
      b: { datatype: 'INT64' as const, shape: [1], data: [-1] },
    },
    outputs: { q: { datatype: 'INT64' as const, shape: [1], data: [0] } },
    tolerance: { abs: 0, rel: 0 },
  };

  it.each<[string, string, string, () => void]>([
    [
      'whose samples do not come out',
      'refused',
      'samples-mismatch',
      () => volume.add('m', 2, modelOf(2), { details: { samples: [wrongSample] } }),
    ],
    [
      'whose file was changed on the volume',
      'failed',
      'digest-mismatch',
      () => {
        const entry = volume.add('m', 2, modelOf(2));
        volume.spoil(entry);
      },
    ],
    [
      'whose file is not there',
      'failed',
      'digest-mismatch',
      () => {
        volume.removeFiles(volume.add('m', 2, modelOf(2)));
      },
    ],
    [
      'that needs an estimator',
      'refused',
      'estimator-missing',
      () =>
        volume.add('m', 2, modelOf(2), {
          details: { code: { estimator: 'e', version: '1.0.0', features: `sha256:${'0'.repeat(64)}` } },
        }),
    ],
    [
      'that never ends',
      'failed',
      'run-timeout',
      () => volume.add('m', 2, loopByRequest(), { unproved: ['ai.onnx:Loop'], details: { samples: [endless] } }),
    ],
    [
      'that kills its process',
      'failed',
      'process-crashed',
      () => volume.add('m', 2, integerDivision(), { unproved: ['ai.onnx:Div'], details: { samples: [fatal] } }),
    ],
  ])(
    '%s: %s, %s',
    async (_what, state, code, add) => {
      await drop(1);
      const server = await start({ KEDGE_RUN_TIMEOUT_SECONDS: '1' });
      const clients = startClients(server.url, '/v2/models/m/infer', 1);
      const health = { replies: [] as number[], stopped: false };
      const watching = (async () => {
        while (!health.stopped) health.replies.push((await fetch(`${server.url}/v2/health/ready`)).status);
      })();
      add();
      await volume.write();
      await vi.waitFor(
        async () => {
          const { body } = await get(`${server.url}/v2/models/m/versions`);
          expect(body.active).toBe('1');
          expect(body.versions[0]).toMatchObject({
            version: '2',
            state,
            reasons: [{ code, message: expect.stringMatching(/\w/) }],
          });
        },
        { timeout: 20_000, interval: 20 },
      );
      health.stopped = true;
      await watching;
      await clients.stop();
      expectRight(clients.replies);
      expect(new Set(health.replies)).toEqual(new Set([200]));
      const metrics = await (await fetch(`${server.admin}/metrics`)).text();
      expect(metrics).toContain(`kedge_model_refused{model="m",version="2",code="${code}"} 1`);
    },
    60_000,
  );
});

describe('a request that ends its host process', () => {
  it('gets its error, and others are answered again soon', async () => {
    volume.add('division', 1, integerDivision(), { unproved: ['ai.onnx:Div'] });
    await drop(1);
    const server = await start();
    const divide = (a: bigint, b: number): Promise<Reply> => {
      const tensor = (name: string, value: bigint | number) => ({ name, datatype: 'INT64', shape: [1], data: [value] });
      return post(`${server.url}/v2/models/division/infer`, { inputs: [tensor('a', a), tensor('b', b)] });
    };
    expect((await divide(84n, 2)).body.outputs[0].data).toEqual([42]);
    const { status, body, headers } = await divide(-(1n << 63n), -1);
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'engine-crashed', '1']);
    expect((await post(`${server.url}/v2/models/m/infer`, request)).status).toBe(200);
    await vi.waitFor(async () => expect((await divide(84n, 2)).status).toBe(200), { timeout: 20_000, interval: 50 });
  }, 60_000);
});

describe('the volume', () => {
  it('without a catalog, with a broken one, and emptied: what serves serves on', async () => {
    await drop(1);
    const server = await start();
    const spoilers: (() => Promise<void> | void)[] = [
      () => volume.removeCatalog(),
      () => volume.writeText('{"schemaVersion":1,'),
      () => volume.writeText('{"schemaVersion":1,"generation":99,"writtenAt":"2030-01-01T00:00:00Z","models":[]}'),
      () => volume.removeFiles(),
    ];
    for (const spoil of spoilers) {
      await spoil();
      await server.settle();
      expect((await fetch(`${server.url}/v2/health/ready`)).status).toBe(200);
      expectRight([await post(`${server.url}/v2/models/m/infer`, request)]);
    }
    await volume.writeText('{"schemaVersion":1,"generation":100,"writtenAt":"2030-01-02T00:00:00Z","models":[]}');
    await server.settle();
    expectRight([await post(`${server.url}/v2/models/m/infer`, request)]);
  });

  it('is not ready before it has a model, and then is', async () => {
    const server = await start();
    const { status, body } = await get(`${server.url}/v2/health/ready`);
    expect([status, body]).toEqual([
      503,
      {
        error: expect.stringMatching(/No model answers yet.*catalog\.json cannot be read/),
        code: 'model-not-ready',
        live: true,
        ready: false,
      },
    ]);
    expect((await fetch(`${server.url}/v2/health/live`)).status).toBe(200);
    await drop(1);
    await waitForActive(server, 1);
    expect((await fetch(`${server.url}/v2/health/ready`)).status).toBe(200);
  });

  it('may be shared by servers, which leave it as it is', async () => {
    await drop(1);
    const before = listing(volume.dir);
    const both = [await start(), await start()];
    expect(listing(volume.dir)).toEqual(before);
    await drop(2);
    for (const server of both) {
      await waitForActive(server, 2);
      expectRight([await post(`${server.url}/v2/models/m/infer`, request)]);
    }
    await both[0]!.stop();
    expectRight([await post(`${both[1]!.url}/v2/models/m/infer`, request)]);
  });
});

/** Every file with its size and time. */
function listing(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((path) => {
      const { size, mtimeMs } = statSync(join(dir, path));
      return `${path} ${size} ${mtimeMs}`;
    });
}

it('readiness waits for all required models, and for no others', async () => {
  await drop(1);
  const server = await start({ KEDGE_REQUIRED_MODELS: 'm, n' });
  const { status, body } = await get(`${server.url}/v2/health/ready`);
  expect([status, body.error]).toEqual([503, 'Not answering yet: n.']);
  volume.add('n', 1, linearModel());
  volume.refuse('o', 1, [{ code: 'opset', message: 'Too new.' }]);
  await volume.write();
  await vi.waitFor(async () => expect((await fetch(`${server.url}/v2/health/ready`)).status).toBe(200), 20_000);
});
