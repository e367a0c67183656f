import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { externalModel, linearModel } from '../contract/onnx/testing/models.ts';
import { systemClock } from '../platform/clock.ts';
import type { ObjectStore } from './object-store.ts';
import { type Published, type PublishOptions, publish } from './publish.ts';
import { pin, retire } from './rollouts.ts';
import { bytesOf, listKeys, readObject } from './testing/object-store-suite.ts';
import { describeStores, type TestStores } from './testing/stores.ts';

const write = { clock: systemClock, random: Math.random };

describeStores('publish, before it claims,', ({ open, files }: TestStores) => {
  const model = (weight = 2): Promise<string> => files({ 'model.onnx': linearModel({ weights: [[weight], [3]] }) });
  const publishTo = async (
    store: ObjectStore,
    source: string,
    options: Partial<PublishOptions> = {},
  ): Promise<Published> => publish({ store, source, model: 'demand', ...options });

  describe('refuses before it claims a number', () => {
    const whole = linearModel();
    it.each<[string, Record<string, Uint8Array | string>, string, RegExp]>([
      ['an HTML page', { 'model.onnx': '<!DOCTYPE html><html>login</html>' }, '', /onnx-not-a-model/],
      ['a file that broke off', { 'model.onnx': whole.subarray(0, whole.length * 0.6) }, '', /onnx-truncated/],
      ['an empty file', { 'model.onnx': '' }, '', /onnx-empty/],
      [
        'a folder without model.onnx',
        { 'net.onnx': whole, 'a.txt': '' },
        '',
        /no model\.onnx: found a\.txt, net\.onnx.*net\.onnx/,
      ],
      ['an empty folder', {}, '', /no model\.onnx: it is empty/],
      ['nothing', {}, 'none', /cannot be read/],
      ['a newer opset', { 'model.onnx': linearModel({ opsets: { '': 99 } }) }, '', /opset/],
      ['missing data', { 'model.onnx': externalModel() }, '', /external-data-missing.*weights\.bin/],
      ['short data', { 'model.onnx': externalModel(), 'weights.bin': 'x' }, '', /external-data-short/],
      [
        'data outside',
        { 'm/model.onnx': externalModel({ location: '../w.bin' }), 'w.bin': 'x'.repeat(12) },
        'm',
        /external-data-path/,
      ],
      [
        'data under the name of the claim',
        { 'model.onnx': externalModel({ location: 'claim.json' }), 'claim.json': 'x'.repeat(12) },
        '',
        /claim\.json, a name that Kedge needs/,
      ],
    ])('%s', async (_name, contents, path, sentence) => {
      const { store } = await open();
      const attempt = publishTo(store, join(await files(contents), path));
      await expect(attempt).rejects.toMatchObject({ code: 'source-invalid', message: expect.stringMatching(sentence) });
      expect(await listKeys(store, '')).toEqual([]);
    });

    const code = { estimator: 'e', version: '1.0.0', features: `sha256:${'0'.repeat(64)}` };
    it.each([
      [{ requires: { server: 'banana' } }, /requires\.server.*'banana'.*no version range/],
      [{ code, requires: { estimator: 'kiwi' } }, /requires\.estimator.*'kiwi'.*no version range/],
    ])('details with a range that is none: %j', async (details, sentence) => {
      const { store } = await open();
      await expect(publishTo(store, await model(), { details })).rejects.toMatchObject({
        code: 'source-invalid',
        message: expect.stringMatching(sentence),
      });
      expect(await listKeys(store, '')).toEqual([]);
    });

    it('names every reason at once', async () => {
      const { store } = await open();
      const source = await files({ 'model.onnx': linearModel({ opsets: { '': 99 }, irVersion: 99 }) });
      await expect(publishTo(store, source)).rejects.toMatchObject({
        message: expect.stringMatching(/ir-version[\s\S]*opset/),
        details: { refusals: expect.arrayContaining([expect.objectContaining({ code: 'opset' })]) },
      });
    });

    it.each<[string, unknown, RegExp]>([
      ['of another form', { samples: 3 }, /details do not have their form: at samples/],
      ['whose samples do not fit', { samples: [{ inputs: {}, outputs: {} }] }, /Sample 0 .*lacks the input 'x'/],
    ])('details %s', async (_name, details, sentence) => {
      const { store } = await open();
      const attempt = publishTo(store, await model(), { details: details as never });
      await expect(attempt).rejects.toMatchObject({ code: 'source-invalid', message: expect.stringMatching(sentence) });
      expect(await listKeys(store, '')).toEqual([]);
    });

    it('a name that cannot be a model', async () => {
      const { store } = await open();
      const attempt = publishTo(store, await model(), { model: '../x' });
      await expect(attempt).rejects.toMatchObject({ code: 'name-invalid' });
    });

    it('a retired model', async () => {
      const { store } = await open();
      await publishTo(store, await model());
      await retire(store, 'demand', true, write);
      await expect(publishTo(store, await model())).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('--undo'),
      });
    });
  });

  describe('against the contract of the model', () => {
    const renamed = (): Promise<string> => files({ 'model.onnx': linearModel({ input: 'features' }) });

    it('refuses what breaks it, unless told to; it then says that a pin is needed', async () => {
      const { store } = await open();
      await publishTo(store, await model());
      await expect(publishTo(store, await renamed())).rejects.toMatchObject({
        code: 'source-invalid',
        message: expect.stringMatching(/signature-contract: .*'x'[\s\S]*--force/),
      });
      const { version, notes } = await publishTo(store, await renamed(), { allowBreaking: true });
      expect([version, notes.join()]).toEqual([2, expect.stringContaining('kedge pin demand 2')]);
      // Version 1 is still the contract, so a version 3 like it is welcome, and one like 2 is not.
      await publishTo(store, await model(5));
      await expect(publishTo(store, await renamed())).rejects.toMatchObject({ code: 'source-invalid' });
    });

    it('takes another input from a release of the estimator with other features, from nobody else', async () => {
      const { store } = await open();
      const code = (digit: number): PublishOptions['details'] => ({
        code: { estimator: 'e', version: `${digit}.0.0`, features: `sha256:${`${digit}`.repeat(64)}` },
      });
      await publishTo(store, await model(), { details: code(1) });
      const refusal = { code: 'source-invalid', message: expect.stringMatching(/signature-contract: .*input 'x'/) };
      for (const details of [code(1), undefined])
        await expect(publishTo(store, await renamed(), { details })).rejects.toMatchObject(refusal);
      expect(await publishTo(store, await renamed(), { details: code(2) })).toMatchObject({ version: 2, notes: [] });
    });

    it('tells of details that it does not know, and keeps them', async () => {
      const { store } = await open();
      const details = { samplez: [], training: {}, requires: { server: '>=0.0.1 <99' } };
      const { notes, version } = await publishTo(store, await model(), { details });
      expect([version, notes]).toEqual([1, [expect.stringMatching(/samplez.*unknown.*did you mean samples/i)]]);
      expect((await readObject(store, 'demand/1/manifest.json')).bytes.toString()).toContain('samplez');
    });

    it('holds against the pinned one', async () => {
      const { store } = await open();
      await publishTo(store, await model());
      await publishTo(store, await renamed(), { allowBreaking: true });
      await pin(store, 'demand', 2, write);
      expect((await publishTo(store, await renamed())).version).toBe(3);
      await expect(publishTo(store, await model())).rejects.toMatchObject({ code: 'source-invalid' });
    });

    it('holds against a bare drop, and not against one that could never serve', async () => {
      const { store } = await open();
      await store.put('demand/1/model.onnx', bytesOf('<html>'), {});
      await store.put('demand/2/model.onnx', linearModel({ input: 'features' }), {});
      await expect(publishTo(store, await model())).rejects.toMatchObject({ code: 'source-invalid' });
      expect((await publishTo(store, await renamed())).version).toBe(3);
    });
  });
});
