import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { claimKey } from '../../contract/layout.ts';
import { digestOf } from '../../contract/manifest.ts';
import { manifestOf, serializeManifest } from '../../contract/manifest-of.ts';
import { readHeadOfBytes } from '../../contract/onnx/head.ts';
import { describeBuckets } from './buckets.ts';
import { linearAnswer, linearModel, linearRequest } from './models.ts';
import type { Program } from './programs.ts';
import { eventually, freePort } from './programs.ts';
import { getJson, postJson, type Stage, versionStatus, waitForActive } from './stage.ts';

const WEIGHT = 2;
const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

/** Publishes by hand, as a tool that is not Kedge's own would: whatever is wrong with it gets into the bucket. */
async function publishByHand(
  stage: Stage,
  version: number,
  bytes: Uint8Array,
  change: (manifest: Record<string, unknown>) => void,
): Promise<void> {
  const head = readHeadOfBytes(bytes);
  if (!head.ok) throw new Error('the test needs a readable model');
  const sha256 = digestOf(bytes).slice('sha256:'.length);
  const manifest = manifestOf({
    model: 'demand',
    version,
    createdAt: '2026-11-24T00:00:00.000Z',
    files: [{ path: 'model.onnx', bytes: bytes.length, sha256 }],
    head: head.head,
  });
  change(manifest);
  // With a claim it is no bare drop while the manifest is on its way.
  await stage.drop(claimKey('demand', version), Buffer.from('{}'));
  await stage.drop(`demand/${version}/model.onnx`, bytes);
  await stage.drop(`demand/${version}/manifest.json`, Buffer.from(serializeManifest(manifest)));
}

const sample = (answer: number) => ({
  inputs: { x: { datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] } },
  outputs: { y: { datatype: 'FP32', shape: [1, 1], data: [answer] } },
});

describeBuckets('what does not fit is refused and explained', (bucket) => {
  let stage: Stage;
  let loader: Program;
  let loaderUrl: string;
  let server: { program: Program; url: string; admin: string };
  let blinks = 0;
  let watching: NodeJS.Timeout;

  beforeAll(async () => {
    stage = await bucket.open();
    const port = await freePort();
    loaderUrl = `http://127.0.0.1:${port}`;
    loader = await stage.startLoader({ KEDGE_LOADER_PORT: String(port) });
    server = await stage.startServer({ KEDGE_ESTIMATORS: EXAMPLES });
    await stage.drop('demand/1/model.onnx', linearModel({ weight: 1 }));
    await stage.drop('demand/2/model.onnx', linearModel({ weight: WEIGHT }));
    await waitForActive(server.url, 'demand', 2);
    watching = setInterval(async () => {
      const ready = await fetch(`${server.url}/v2/health/ready`).catch(() => undefined);
      if (ready?.status !== 200) blinks += 1;
    }, 20);
  }, 60_000);
  afterAll(async () => {
    clearInterval(watching);
    await stage?.close();
    await bucket.close();
  });

  const good = linearModel({ weight: 9 });
  it.each<[number, string, string, RegExp, () => Promise<void>]>([
    [
      3,
      'a renamed input',
      'signature-contract',
      /'x'/,
      () => stage.drop('demand/3/model.onnx', linearModel({ weight: 9, input: 'z' })),
    ],
    [
      4,
      'a truncated file',
      'onnx-truncated',
      /upload|again|end/,
      () => stage.drop('demand/4/model.onnx', good.subarray(0, good.length * 0.6)),
    ],
    [
      5,
      'a wrong digest',
      'digest-mismatch',
      /sha256/,
      () =>
        publishByHand(stage, 5, good, (manifest) => {
          manifest['files'] = [{ path: 'model.onnx', bytes: good.length, sha256: 'ab'.repeat(32) }];
        }),
    ],
    [
      6,
      'an opset newer than the runtime',
      'opset',
      /99.*26/s,
      () => stage.drop('demand/6/model.onnx', linearModel({ weight: 9, opset: 99 })),
    ],
    [
      7,
      'external data at ../',
      'external-data-path',
      /\.\.\/secret/,
      () => stage.drop('demand/7/model.onnx', linearModel({ weight: 9, external: '../secret.bin' })),
    ],
    [
      8,
      'samples that do not come out',
      'samples-mismatch',
      /54.*55|55.*54/s,
      () =>
        publishByHand(stage, 8, good, (manifest) => {
          manifest['samples'] = [sample(55)];
        }),
    ],
    [
      9,
      'an estimator version that is not here',
      'estimator-version',
      /9\.0\.0/,
      () =>
        publishByHand(stage, 9, good, (manifest) => {
          manifest['code'] = { estimator: 'scooter-demand', version: '9.0.0', features: `sha256:${'0'.repeat(64)}` };
          manifest['requires'] = { estimator: '^9.0.0' };
        }),
    ],
  ])(
    'version %i: %s',
    async (version, _what, code, sentence, drop) => {
      await drop();
      const status = await eventually(async () => {
        const found = await versionStatus(server.url, 'demand', version);
        return found && found.state === 'refused' && found;
      }, `version ${version} refused`);
      expect(status.reasons?.map((reason) => reason.code)).toContain(code);
      expect(status.reasons?.find((reason) => reason.code === code)?.message).toMatch(sentence);

      const { body } = await postJson(`${server.url}/v2/models/demand/infer`, linearRequest);
      expect(body).toMatchObject({ model_version: '2', outputs: [{ data: [linearAnswer(WEIGHT)] }] });

      const shown = new RegExp(
        `model="demand",version="${version}".*code="${code}"|code="${code}".*version="${version}"`,
      );
      const metrics = await eventually(async () => {
        const text = await (await fetch(`${server.admin}/metrics`)).text();
        return shown.test(text) && text;
      }, `${code} in the metrics`);
      expect(metrics).toMatch(shown);
      expect(`${loader.log()}${server.program.log()}`).toMatch(new RegExp(`"code":"${code}"`));
    },
    60_000,
  );

  it('readiness never blinked, and the loader is well', async () => {
    expect(blinks).toBe(0);
    expect((await fetch(`${loaderUrl}/readyz`)).status).toBe(200);
    expect((await getJson(`${server.url}/v2/models/demand/versions`)).body.active).toBe('2');
  });
});
