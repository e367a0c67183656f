import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { linearModel } from '../contract/onnx/testing/models.ts';
import { get, post, startTestServer, type TestServer } from './testing/test-server.ts';
import { TestVolume } from './testing/volume.ts';

/** Policies, labels and lazy models over real sockets and the real runtime. */

let volume: TestVolume;
let server: TestServer;
beforeEach(() => {
  volume = new TestVolume();
});
afterEach(async () => {
  await server.stop();
  volume.remove();
});

const start = async (env = {}): Promise<void> => {
  await volume.write();
  server = await startTestServer(volume, env);
  await server.settle();
};
const show = async (): Promise<void> => {
  await volume.write();
  await server.settle();
};
/** Version n of the model answers [1, 2] with 5 + n. */
const add = (version: number): void => {
  volume.add('m', version, linearModel({ bias: [version] }));
};
const rows = { instances: [[1, 2]] };

describe('a policy', () => {
  it('holds several versions ready, each to be asked for by number or label', async () => {
    for (const version of [1, 2, 3]) add(version);
    volume.rollout('m', { policy: { specific: [1, 2] }, labels: { stable: 1, canary: 3, gone: 9 } });
    await start();
    const ask = async (way: string) => {
      const { status, headers } = await post(`${server.url}/v1/models/m${way}:predict`, rows);
      return [status, headers.get('kedge-model-version')];
    };
    expect(await ask('')).toEqual([200, '2']);
    expect(await ask('/versions/1')).toEqual([200, '1']);
    expect(await ask('/labels/stable')).toEqual([200, '1']);
    expect(await ask('/labels/canary')).toEqual([200, '3']);
    expect(await ask('/labels/none')).toEqual([404, null]);
    const gone = await post(`${server.url}/v1/models/m/labels/gone:predict`, rows);
    expect([gone.status, gone.body.error]).toEqual([503, expect.stringMatching(/label gone .*version 9.*not here/)]);
    expect((await get(`${server.url}/v2/models/m/versions`)).body).toMatchObject({
      active: '2',
      policy: { specific: ['1', '2'] },
      labels: { stable: '1', canary: '3', gone: '9' },
      versions: [{ state: 'ready' }, { state: 'ready' }, { state: 'ready' }],
    });
    volume.rollout('m', { policy: { latest: 1 } });
    await show();
    expect([await ask(''), await ask('/versions/1')]).toEqual([
      [200, '3'],
      [503, null],
    ]);
  });
});

describe('a lazy model', () => {
  it('counts as ready, and its first requests wait for one load', async () => {
    add(1);
    volume.rollout('m', { lazy: true });
    await start();
    expect((await get(`${server.url}/v2/health/ready`)).status).toBe(200);
    const versions = async () => (await get(`${server.url}/v2/models/m/versions`)).body;
    expect(await versions()).toMatchObject({ active: null, lazy: true, versions: [{ state: 'available' }] });
    const replies = await Promise.all([1, 2, 3].map(() => post(`${server.url}/v1/models/m:predict`, rows)));
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
    const after = await versions();
    expect(after).toMatchObject({ active: '1', versions: [{ state: 'ready', memoryBytes: expect.any(Number) }] });
    expect(after.versions[0].history.map(({ state }: { state: string }) => state)).toEqual([
      'available',
      'loading',
      'warming',
      'ready',
    ]);
  });

  it('that does not fit is refused with the numbers', async () => {
    volume.add('m', 1, linearModel(), { probe: { memoryBytes: 5 * 2 ** 20 } });
    volume.rollout('m', { lazy: true });
    await start({ KEDGE_MEMORY_BUDGET_MB: '2' });
    const { status, body } = await post(`${server.url}/v1/models/m:predict`, rows);
    expect([status, body.error]).toEqual([503, expect.stringMatching(/memory-budget: .*takes 5 MiB.*2 MiB/)]);
  });
});
