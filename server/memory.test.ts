import { afterEach, beforeEach, expect, it } from 'vitest';
import { linearModel } from '../contract/onnx/testing/models.ts';
import { get, startTestServer, type TestServer } from './testing/test-server.ts';
import { TestVolume } from './testing/volume.ts';

const MB = 2 ** 20;
let volume: TestVolume;
let server: TestServer;

beforeEach(() => {
  volume = new TestVolume();
});
afterEach(async () => {
  await server.stop();
  volume.remove();
});

it('what a process of its own takes is measured, counts, and comes back when it ends', async () => {
  volume.add('light', 1, linearModel(), { unproved: ['Loop'], probe: { memoryBytes: MB } });
  volume.add('heavy', 1, linearModel(), { unproved: ['Loop'], probe: { memoryBytes: MB, runMs: 50 } });
  await volume.write();
  server = await startTestServer(volume);
  await server.settle();
  const bytesOf = async (model: string): Promise<number> =>
    (await get(`${server.url}/v2/models/${model}/versions`)).body.versions[0].memoryBytes;
  const [light, heavy] = [await bytesOf('light'), await bytesOf('heavy')];
  // A probe of one MiB says nothing of the process around the model.
  expect(heavy).toBeGreaterThan(10 * MB);
  expect(light).toBeLessThan(8 * MB);
  expect(server.manager.memory.takenBytes).toBe(light + heavy);
  const { body } = await get(`${server.url}/v2/models/heavy/stats`);
  expect(body.model_stats[0].memory_usage[0].byte_size).toBe(heavy);
  await server.manager.unload('heavy');
  expect(server.manager.model('heavy')!.find(1)!.state).toBe('released');
  await server.manager.model('heavy')!.find(1)!.drained();
  await new Promise(setImmediate);
  expect(server.manager.memory.takenBytes).toBe(light);
});
