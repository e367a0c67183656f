import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearModel } from '../../contract/onnx/testing/models.ts';
import { get, post, startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

let volume: TestVolume;
let server: TestServer;
beforeAll(async () => {
  volume = new TestVolume();
  for (const version of [1, 2, 3]) volume.add('lazy', version, linearModel());
  volume.rollout('lazy', { lazy: true });
  await volume.write();
  server = await startTestServer(volume, { KEDGE_KEEP_READY: '2' });
  await server.settle();
});
afterAll(async () => {
  await server.stop();
  volume.remove();
});

/** What each route says of the model, in the order of versions where it tells of them. */
async function told() {
  const ask = async (path: string) => (await get(server.url + path)).body;
  const index = async (body: object) =>
    (await post(`${server.url}/v2/repository/index`, body)).body.map(
      ({ version, state, reason }: Record<string, string>) => [version, state, reason],
    );
  const { paths, tags } = await ask('/openapi.json');
  const v1 = await ask('/v1/models/lazy');
  return {
    v2: [(await ask('/v2/models/lazy/ready')).ready, (await ask('/v2/models/lazy')).versions],
    v1: [v1.ready, v1.model_version_status.map(({ state }: { state: string }) => state)],
    v1Versions: [(await ask('/v1/models/lazy/versions/2')).ready, (await ask('/v1/models/lazy/versions/1')).ready],
    index: await index({}),
    onlyReady: (await index({ ready: true })).length,
    stats: (await ask('/v2/models/lazy/stats')).model_stats.map(({ version }: { version: string }) => version),
    document: paths['/v2/models/lazy/versions/{version}/infer']?.post.parameters[0].schema.enum,
    tag: tags[1]?.description,
  };
}

describe('a lazy model that nobody asked for yet', () => {
  const asleep = 'loaded when first asked for';
  const same = {
    v2: [true, ['3', '2']],
    v1: [true, ['AVAILABLE', 'AVAILABLE', 'START']],
    v1Versions: [true, false],
    onlyReady: 2,
    stats: ['2', '3'],
    document: ['3', '2'],
  };

  it('is told of by every route as one that answers, and once it is loaded as well', async () => {
    expect(await told()).toMatchObject({
      ...same,
      index: [
        ['1', 'UNAVAILABLE', 'not among the versions that are held ready'],
        ['2', 'READY', asleep],
        ['3', 'READY', asleep],
      ],
      tag: expect.stringMatching(/^Version 3 answers, loaded when first asked for, sha256:/),
    });
    expect(server.manager.model('lazy')!.active).toBeUndefined();
    expect((await get(`${server.url}/v2/models/lazy/stats`)).body.model_stats[0].memory_usage[0].byte_size).toBe(0);

    const x = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] };
    expect((await post(`${server.url}/v2/models/lazy/infer`, x)).status).toBe(200);
    await server.settle();
    expect(await told()).toMatchObject({
      ...same,
      index: [
        ['1', 'UNAVAILABLE', 'not among the versions that are held ready'],
        ['2', 'READY', asleep],
        ['3', 'READY', ''],
      ],
      tag: expect.stringMatching(/^Version 3 answers, sha256:/),
    });
  });
});
