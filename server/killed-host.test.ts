import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { integerDivision, nodesModel } from '../contract/onnx/testing/models.ts';
import { get, post, type Reply, startTestServer, type TestServer } from './testing/test-server.ts';
import { TestVolume } from './testing/volume.ts';

/** q = a - b, with the signature of {@link integerDivision}: an answer tells its version. */
function integerDifference(): Uint8Array {
  return nodesModel({
    inputs: [
      { name: 'a', type: 'int64', dims: ['N'] },
      { name: 'b', type: 'int64', dims: ['N'] },
    ],
    outputs: [{ name: 'q', type: 'int64', dims: ['N'] }],
    nodes: [{ type: 'Sub', inputs: ['a', 'b'], outputs: ['q'] }],
  });
}

describe.each([
  ['held ready', '2'],
  ['that has to be loaded first', '1'],
])('a version that keeps ending its host process, and one before it %s', (_what, keepReady) => {
  let volume: TestVolume;
  let server: TestServer;
  beforeAll(async () => {
    volume = new TestVolume();
    volume.add('m', 1, integerDifference());
    volume.add('m', 2, integerDivision(), { unproved: ['ai.onnx:Div'] });
    await volume.write();
    server = await startTestServer(volume, { KEDGE_KEEP_READY: keepReady });
    await server.settle();
  });
  afterAll(async () => {
    await server.stop();
    volume.remove();
  });

  const ask = (a: bigint, b: bigint): Promise<Reply> => {
    const tensor = (name: string, value: bigint) => ({ name, datatype: 'INT64', shape: [1], data: [value] });
    return post(`${server.url}/v2/models/m/infer`, { inputs: [tensor('a', a), tensor('b', b)] });
  };

  it('is failed with the reason, and the one before answers; readiness never changes', async () => {
    expect((await ask(84n, 2n)).body).toMatchObject({ model_version: '2', outputs: [{ data: [42] }] });
    const ready = new Set<number>();
    const replies: Reply[] = [];
    await vi.waitFor(
      async () => {
        const reply = await ask(-(1n << 63n), -1n);
        replies.push(reply);
        ready.add((await fetch(`${server.url}/v2/health/ready`)).status);
        expect(reply.status).toBe(200);
      },
      { timeout: 30_000, interval: 20 },
    );
    expect(replies.at(-1)!.body).toMatchObject({ model_version: '1', outputs: [{ data: [-(1n << 63n) + 1n] }] });
    for (const { status, body, headers } of replies.slice(0, -1)) {
      expect([status, ['engine-crashed', 'model-not-ready'].includes(body.code)]).toEqual([503, true]);
      expect(headers.get('retry-after')).not.toBeNull();
    }
    expect(replies.filter(({ body }) => body.code === 'engine-crashed').length).toBeGreaterThan(1);
    expect([...ready]).toEqual([200]);

    const { body } = await get(`${server.url}/v2/models/m/versions`);
    expect(body).toMatchObject({
      active: '1',
      versions: [
        {
          version: '2',
          state: 'failed',
          reasons: [{ code: 'process-crashed', message: expect.stringMatching(/SIGFPE/) }],
        },
        { version: '1', state: 'ready' },
      ],
    });
    const metrics = await (await fetch(`${server.admin}/metrics`)).text();
    expect(metrics).toContain('kedge_model_refused{model="m",version="2",code="process-crashed"} 1');
    expect((await ask(84n, 2n)).body.outputs[0].data).toEqual([82]);
    const pinned = await post(`${server.url}/v2/models/m/versions/2/infer`, {});
    expect([pinned.status, pinned.body.code]).toEqual([503, 'model-not-ready']);
  }, 60_000);
});
