import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeBuckets } from './buckets.ts';
import { linearAnswer, linearModel, linearRequest } from './models.ts';
import { postJson, type Reply, type Stage, waitForActive } from './stage.ts';

const CLIENTS = 4;

describeBuckets('a bare drop rolls a running server forward', (bucket) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await bucket.open();
  });
  afterAll(async () => {
    await stage?.close();
    await bucket.close();
  });

  it('without an answer but 200, each as its version computes', async () => {
    const drop = (version: number): Promise<void> =>
      stage.drop(`demand/${version}/model.onnx`, linearModel({ weight: version }));
    await drop(1);
    await stage.startLoader();
    const { url } = await stage.startServer();
    await waitForActive(url, 'demand', 1);

    const replies: Reply[] = [];
    let stop = false;
    const client = async (): Promise<void> => {
      while (!stop) replies.push(await postJson(`${url}/v2/models/demand/infer`, linearRequest));
    };
    const clients = Array.from({ length: CLIENTS }, client);
    await drop(2);
    await waitForActive(url, 'demand', 2);
    await drop(3);
    await waitForActive(url, 'demand', 3);
    stop = true;
    await Promise.all(clients);

    expect(replies.filter(({ status }) => status !== 200)).toEqual([]);
    const wrong = replies.filter(({ body }) => body.outputs[0].data[0] !== linearAnswer(Number(body.model_version)));
    expect(wrong).toEqual([]);
    expect(new Set(replies.map(({ body }) => body.model_version))).toEqual(new Set(['1', '2', '3']));
  }, 60_000);

  it('and the version before answers where it is asked for by number', async () => {
    const { url } = await stage.startServer();
    await waitForActive(url, 'demand', 3);
    const { body } = await postJson(`${url}/v2/models/demand/versions/2/infer`, linearRequest);
    expect(body).toMatchObject({ model_version: '2', outputs: [{ data: [linearAnswer(2)] }] });
  });
});
