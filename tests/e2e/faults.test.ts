import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FaultyS3, type Plan, startFaultyS3 } from '../faulty-s3.ts';
import { hasS3Server, type S3Server, s3Env, startS3Server, withS3Server } from '../s3-server.ts';
import { linearAnswer, linearModel, linearRequest } from './models.ts';
import { eventually, freePort, type Program } from './programs.ts';
import { createStage, getJson, postJson, type Stage, waitForActive } from './stage.ts';

const ofModel = (url: string): boolean => url.includes('model.onnx');

describe.skipIf(!hasS3Server)(withS3Server('whatever the bucket does, the last good model answers'), () => {
  let server: S3Server;
  let proxy: FaultyS3;
  let stage: Stage;
  let loader: Program;
  let loaderUrl: string;
  let url: string;
  let newest = 0;

  /** A version beyond the last one, and the request that shows whether it answers. */
  const dropNext = async (): Promise<number> => {
    newest += 1;
    await stage.drop(`demand/${newest}/model.onnx`, linearModel({ weight: newest }));
    return newest;
  };
  const answers = async (version: number): Promise<void> => {
    const { status, body } = await postJson(`${url}/v2/models/demand/infer`, linearRequest);
    expect({ status, version: body.model_version, answer: body.outputs?.[0].data[0] }).toEqual({
      status: 200,
      version: String(version),
      answer: linearAnswer(version),
    });
    expect((await getJson(`${url}/v2/health/ready`)).status).toBe(200);
  };
  const metric = async (name: string): Promise<string | undefined> =>
    (await (await fetch(`${loaderUrl}/metrics`)).text()).split('\n').find((line) => line.startsWith(name));

  beforeAll(async () => {
    server = await startS3Server();
    proxy = await startFaultyS3(server.url);
    stage = createStage({ bucket: `s3://${server.bucket}/prod`, env: s3Env(proxy.url), s3: server.s3 });
    const port = await freePort();
    loaderUrl = `http://127.0.0.1:${port}`;
    loader = await stage.startLoader({ KEDGE_LOADER_PORT: String(port) });
    ({ url } = await stage.startServer());
    await waitForActive(url, 'demand', await dropNext());
  }, 90_000);
  afterAll(async () => {
    await stage?.close();
    await proxy?.close();
    await server?.stop();
  });

  it.each<[string, Plan]>([
    ['500 for everything', () => ({ status: 500, code: 'InternalError' })],
    ['credentials revoked', () => ({ status: 403, code: 'AccessDenied' })],
    ['silence before the head', () => ({ hang: true })],
  ])(
    '%s: told in metrics and log, and mended by itself',
    async (_what, plan) => {
      const before = newest;
      const logged = loader.log().length;
      proxy.plan = plan;
      const next = await dropNext();
      await eventually(
        async () => (await metric('kedge_loader_bucket_reachable'))?.endsWith(' 0'),
        'the metric',
        90_000,
      );
      await eventually(async () => /bucket-unreachable/.test(loader.log().slice(logged)), 'the log');
      await answers(before);
      proxy.plan = () => undefined;
      await waitForActive(url, 'demand', next, 90_000);
      await eventually(async () => (await metric('kedge_loader_bucket_reachable'))?.endsWith(' 1'), 'the metric');
    },
    200_000,
  );

  it.each<[string, Plan]>([
    ['stalled in mid-body', ({ url: at }) => (ofModel(at) ? { cut: 100, how: 'stall' } : undefined)],
    ['cut in mid-body', ({ url: at }) => (ofModel(at) ? { cut: 100, how: 'reset' } : undefined)],
  ])(
    '%s: the version waits, and comes when the store is well again',
    async (_what, plan) => {
      const before = newest;
      proxy.plan = plan;
      const seen = proxy.seen.length;
      const next = await dropNext();
      await eventually(
        async () => proxy.seen.slice(seen).some((request) => ofModel(request.url)),
        'the loader asking for it',
      );
      await answers(before);
      proxy.plan = () => undefined;
      await waitForActive(url, 'demand', next, 120_000);
      await answers(next);
    },
    200_000,
  );

  it('a wrong byte on the way is seen by its digest, and fetched again', async () => {
    newest += 1;
    const file = join(stage.dir, 'model.onnx');
    writeFileSync(file, linearModel({ weight: newest }));
    let wrong = 0;
    proxy.plan = ({ url: at, method }) =>
      ofModel(at) && method === 'GET' && wrong++ === 0 ? { flip: 120 } : undefined;
    const { code, err } = await stage.kedge(['publish', file, '--model', 'demand'], server.env);
    expect(code, err).toBe(0);
    await waitForActive(url, 'demand', newest, 60_000);
    expect(wrong).toBeGreaterThan(1);
    await answers(newest);
    proxy.plan = () => undefined;
  }, 90_000);

  it('an emptied bucket takes nothing away', async () => {
    for await (const page of stage.bucket.list('')) for (const { key } of page) await stage.bucket.delete(key);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await answers(newest);
    const restarted = await stage.startServer();
    await waitForActive(restarted.url, 'demand', newest);
    await waitForActive(url, 'demand', await dropNext());
  }, 60_000);
});
