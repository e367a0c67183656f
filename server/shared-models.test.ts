import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { difference } from '../tests/e2e/compare.ts';
import { type SharedGood, sharedModels } from '../tests/shared.ts';
import { post, startTestServer, type TestServer } from './testing/test-server.ts';
import { TestVolume } from './testing/volume.ts';

const title = sharedModels
  ? 'the shared models answer over HTTP'
  : 'LEFT OUT, there is no ../shared: the shared models answer over HTTP';

/** What a probe sees: outputs that follow the rows although the graph declares one. */
const ROW_OUTPUTS: Record<string, string[]> = { 'cancer-lgbm': ['label', 'probabilities'] };

describe.skipIf(!sharedModels)(title, () => {
  const { dir, good } = sharedModels ?? { dir: '', good: [] };

  function addTo(volume: TestVolume, model: SharedGood, unproved: string[]): void {
    const folder = join(dir, model.dir);
    const names = readdirSync(folder).filter((name) => name !== 'model.onnx');
    const files = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name))]));
    const probe = { rowOutputs: ROW_OUTPUTS[model.name] ?? [] };
    volume.add(model.name, 1, readFileSync(join(folder, 'model.onnx')), { files, unproved, probe });
  }

  describe.each([
    ['inline', []],
    ['host', ['made:up']],
  ])('%s', (engine, unproved) => {
    let volume: TestVolume;
    let server: TestServer;
    beforeAll(async () => {
      volume = new TestVolume();
      for (const model of good) addTo(volume, model, unproved);
      await volume.write();
      server = await startTestServer(volume);
      await server.settle();
    }, 120_000);
    afterAll(async () => {
      await server.stop();
      volume.remove();
    });

    it.each(good.map((model) => [model.name, model] as const))('%s', async (name, model) => {
      expect(server.manager.model(name)?.active?.placement.engine).toBe(engine);
      const infer = (request: unknown) => post(`${server.url}/v2/models/${name}/infer`, request);
      const [first] = model.cases;
      for (const one of model.cases) {
        const { status, body } = await infer(one.request);
        if (isEmpty(one.request) && REFUSED.has(name) && status === 400) continue;
        expect([one.note, status, difference(one, body.outputs ?? [])]).toEqual([one.note, 200, undefined]);
      }
      for (const { note, request } of model.errors ?? []) {
        const { status, body } = await infer(request);
        if (status === 200) expect([note, isEmpty(request)]).toEqual([note, true]);
        else expect([note, status, body.code]).toEqual([note, 400, 'request-invalid']);
        for (const { data } of body.outputs ?? []) expect(data).toEqual([]);
        const next = await infer(first!.request);
        expect(difference(first!, next.body.outputs)).toBeUndefined();
      }
    });
  });
});

/** Empty requests whose answer would not be empty: it would have to be made of nothing, so they are refused. */
const REFUSED = new Set(['vector-stats', 'pair-distance']);

const isEmpty = ({ inputs }: { inputs: { shape: number[] }[] }): boolean =>
  inputs.some(({ shape }) => shape.includes(0));
