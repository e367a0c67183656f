import { expect, it, vi } from 'vitest';
import { linearModel } from '../contract/onnx/testing/models.ts';
import { childrenOf } from '../engine/testing/processes.ts';
import { get, post, startTestServer } from './testing/test-server.ts';
import { TestVolume } from './testing/volume.ts';

const model = linearModel();
const row = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] };

it('a lone version whose process cannot be started again fails with the reason, and comes back when it can', async () => {
  const volume = new TestVolume();
  const entry = volume.add('m', 1, model, { unproved: ['Loop'] });
  await volume.write();
  const server = await startTestServer(volume);
  try {
    await server.settle();
    expect((await post(`${server.url}/v2/models/m/infer`, row)).status).toBe(200);
    volume.removeFiles(entry);
    for (const pid of childrenOf(process.pid)) process.kill(pid, 'SIGKILL');
    const isReady = async () => get(`${server.url}/v2/models/m/ready`);
    const failed = {
      status: 503,
      body: { error: expect.stringMatching(/version 1 is failed \(.*loaded again.*ENOENT/) },
    };
    await vi.waitFor(async () => expect(await isReady()).toMatchObject(failed), 20_000);
    expect(await post(`${server.url}/v2/models/m/infer`, row)).toMatchObject(failed);
    expect((await get(`${server.url}/v2/models/m/versions`)).body.versions).toMatchObject([{ state: 'failed' }]);
    volume.add('m', 1, model, { unproved: ['Loop'] });
    await vi.waitFor(async () => expect((await isReady()).status).toBe(200), 20_000);
    expect((await post(`${server.url}/v2/models/m/infer`, row)).body.outputs[0].data).toEqual([9]);
  } finally {
    await server.stop();
    volume.remove();
  }
}, 60_000);
