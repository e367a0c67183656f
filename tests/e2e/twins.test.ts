import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeBuckets } from './buckets.ts';
import { linearAnswer, linearModel, linearRequest } from './models.ts';
import { eventually, type Program } from './programs.ts';
import { postJson, type Stage, waitForActive } from './stage.ts';

describeBuckets('two servers and, by mistake, two loaders on one volume', (bucket) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await bucket.open();
  });
  afterAll(async () => {
    await stage?.close();
    await bucket.close();
  });

  it('nothing breaks, and the second loader takes over', async () => {
    await stage.drop('demand/1/model.onnx', linearModel({ weight: 1 }));
    const first: Program = await stage.startLoader();
    const servers = [await stage.startServer(), await stage.startServer()];
    for (const { url } of servers) await waitForActive(url, 'demand', 1);

    const second = await stage.startLoader();
    await eventually(async () => /lock|holds the volume/.test(second.log()), 'the second loader saying that it waits');
    await stage.drop('demand/2/model.onnx', linearModel({ weight: 2 }));
    for (const { url } of servers) await waitForActive(url, 'demand', 2);

    await first.kill();
    await stage.drop('demand/3/model.onnx', linearModel({ weight: 3 }));
    for (const { url } of servers) {
      await waitForActive(url, 'demand', 3);
      const { body } = await postJson(`${url}/v2/models/demand/infer`, linearRequest);
      expect(body).toMatchObject({ model_version: '3', outputs: [{ data: [linearAnswer(3)] }] });
    }
    expect(await second.stop()).toBe(0);
    for (const { program } of servers) expect(await program.stop()).toBe(0);
  }, 90_000);
});
