import { describe, expect, it } from 'vitest';
import { linearModel, nodesModel } from '../contract/onnx/testing/models.ts';
import { systemClock } from '../platform/clock.ts';
import { inspect } from './inspect.ts';
import { listModels } from './list-models.ts';
import type { ObjectStore } from './object-store.ts';
import { publish } from './publish.ts';
import { pin, retire } from './rollouts.ts';
import { bytesOf, readObject } from './testing/object-store-suite.ts';
import { describeStores, externalFiles, type TestStores } from './testing/stores.ts';

const write = { clock: systemClock, random: Math.random };

describeStores('ls and inspect', ({ open, files }: TestStores) => {
  const publishOne = async (store: ObjectStore, stopAt?: string) => {
    const source = await files({ 'model.onnx': linearModel() });
    const onStep = (step: string): void => {
      if (step === stopAt) throw new Error('killed');
    };
    return publish({ store, model: 'demand', source, publisher: 'ci', onStep });
  };

  it('tells of a range that is none in a manifest made by hand', async () => {
    const { store } = await open();
    await publishOne(store);
    const manifest = JSON.parse((await readObject(store, 'demand/1/manifest.json')).bytes.toString());
    const text = JSON.stringify({ ...manifest, version: 2, requires: { server: 'banana' } });
    await store.put('demand/2/model.onnx', linearModel(), {});
    await store.put('demand/2/manifest.json', bytesOf(text), {});
    expect((await inspect(store, 'demand', 2)).refusals).toEqual([
      expect.objectContaining({ code: 'server-version', message: expect.stringContaining('no version range') }),
    ]);
  });

  it('lists every model and version, whatever its state', async () => {
    const { store } = await open();
    const { digest, bytes } = await publishOne(store);
    const other = await files({ 'model.onnx': linearModel({ weights: [[1], [1]] }) });
    for (const publisher of ['a', 'b']) await publish({ store, model: 'demand', source: other, publisher });
    await expect(publish({ store, model: 'demand', source: other, onStep: stop('index') })).rejects.toThrow('index');
    await expect(
      publish({ store, model: 'demand', source: other, publisher: 'c', onStep: stop('manifest') }),
    ).rejects.toThrow();
    await store.put('demand/6/model.onnx', linearModel(), {});
    await store.put('other/1/model.onnx', linearModel(), {});
    await store.put('gone/rollout.json', bytesOf('{"schemaVersion":1,"retired":true}'), {});
    await store.put('odd/rollout.json', bytesOf('{'), {});
    await store.put('README', bytesOf('not Kedge'), {});
    await retire(store, 'demand', [2], write);
    await store.delete('index.json').then(() => publishOne(store));
    await pin(store, 'demand', 1, write);

    const models = await listModels(store);
    expect(
      models.map(({ model, retired, versions, problems }) => [model, retired, versions.length, problems.length]),
    ).toEqual([
      ['demand', false, 6, 0],
      ['gone', true, 0, 0],
      ['odd', false, 0, 1],
      ['other', false, 1, 0],
    ]);
    const states = models[0]!.versions.map(({ version, kind, retired, pinned }) => [version, kind, retired, pinned]);
    expect(states).toEqual([
      [6, 'bare', false, false],
      [5, 'incomplete', false, false],
      [4, 'published', false, false],
      [3, 'published', false, false],
      [2, 'published', true, false],
      [1, 'published', false, true],
    ]);
    expect(models[0]!.versions.at(-1)).toMatchObject({ digest, files: 1, bytes, notInIndex: false });
    expect(models[0]!.versions[1]).toMatchObject({ publisher: 'c', notInIndex: false });
    expect(await listModels(store, 'other')).toHaveLength(1);
    await expect(listModels(store, 'none')).rejects.toMatchObject({ code: 'model-unknown' });
  });

  it('tells of a version that no loader was told of yet', async () => {
    const { store } = await open();
    await expect(publishOne(store, 'index')).rejects.toThrow('killed');
    expect((await listModels(store))[0]!.versions).toMatchObject([{ version: 1, kind: 'published', notInIndex: true }]);
  });

  it('shows all about a sound version', async () => {
    const { store } = await open();
    await publish({ store, model: 'demand', source: await files(externalFiles()), publisher: 'ci' });
    const found = await inspect(store, 'demand', 1, { verify: true });
    expect(found).toMatchObject({
      model: 'demand',
      version: 1,
      kind: 'published',
      claim: { publisher: 'ci' },
      manifest: { signature: { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }] } },
      head: { irVersion: 8 },
      present: [
        { path: 'model.onnx', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        { path: 'weights.bin', bytes: 12 },
      ],
      refusals: [],
    });
  });

  describe('tells why a loader would refuse', () => {
    it.each<[string, (store: ObjectStore) => Promise<unknown>, string[]]>([
      [
        'a file of another size',
        (store) => store.put('demand/1/model.onnx', linearModel({ rows: 'many' }), {}),
        ['size-mismatch'],
      ],
      [
        'a file of other bytes',
        (store) => store.put('demand/1/model.onnx', linearModel({ weights: [[9], [9]] }), {}),
        ['digest-mismatch'],
      ],
      ['a file that is gone', (store) => store.delete('demand/1/model.onnx'), ['file-missing']],
      ['a file too many', (store) => store.put('demand/1/extra', bytesOf('x'), {}), ['file-undeclared']],
      [
        'a manifest that is none',
        (store) => store.put('demand/1/manifest.json', bytesOf('{'), {}),
        ['manifest-changed', 'manifest-invalid'],
      ],
      [
        'a manifest that was replaced',
        async (store) => {
          const { bytes } = await readObject(store, 'demand/1/manifest.json');
          await store.put('demand/1/manifest.json', Buffer.concat([bytes, bytesOf('\n')]), {});
        },
        ['manifest-changed'],
      ],
    ])('%s', async (_name, damage, codes) => {
      const { store } = await open();
      await publishOne(store);
      await damage(store);
      const { refusals } = await inspect(store, 'demand', 1, { verify: true });
      expect(refusals.map(({ code }) => code)).toEqual(codes);
    });

    it.each<[string, Record<string, Uint8Array | string>, string[]]>([
      ['a page', { 'model.onnx': '<html>' }, ['onnx-not-a-model']],
      ['two files', { 'model.onnx': linearModel(), 'more.bin': 'x' }, ['bare-several-files']],
      ['another name', { 'net.onnx': linearModel() }, ['model-file-missing']],
      ['another input', { 'model.onnx': linearModel({ input: 'features' }) }, ['signature-contract']],
      [
        'an operator that no runtime has',
        {
          'model.onnx': nodesModel({
            opsets: { '': 15, 'com.example': 1 },
            inputs: [{ name: 'x', type: 'float', dims: ['N', 2] }],
            outputs: [{ name: 'y', type: 'float', dims: ['N', 1] }],
            nodes: [{ type: 'Swish7', domain: 'com.example', inputs: ['x'], outputs: ['y'] }],
          }),
        },
        ['operator-domain'],
      ],
    ])('a bare drop: %s', async (_name, contents, codes) => {
      const { store } = await open();
      await publishOne(store);
      for (const [path, content] of Object.entries(contents))
        await store.put(`demand/2/${path}`, Buffer.from(content), {});
      expect((await inspect(store, 'demand', 2)).refusals.map(({ code }) => code)).toEqual(codes);
    });

    it('but not of a pinned version that breaks with the contract, nor of an incomplete one', async () => {
      const { store } = await open();
      await publishOne(store);
      await store.put('demand/2/model.onnx', linearModel({ input: 'features' }), {});
      await pin(store, 'demand', 2, write);
      expect((await inspect(store, 'demand', 2)).refusals).toEqual([]);
      expect((await inspect(store, 'demand', 1)).refusals.map(({ code }) => code)).toEqual(['signature-contract']);
      await store.put('demand/3/claim.json', bytesOf('{}'), {});
      expect(await inspect(store, 'demand', 3)).toMatchObject({ kind: 'incomplete', refusals: [] });
    });
  });

  it('says what there is instead of what is not', async () => {
    const { store } = await open();
    await publishOne(store);
    await expect(inspect(store, 'demand', 2)).rejects.toMatchObject({
      code: 'version-unknown',
      message: expect.stringContaining('there are 1'),
    });
    await expect(inspect(store, 'none', 1)).rejects.toMatchObject({ code: 'model-unknown' });
  });
});

function stop(at: string) {
  return (step: string): void => {
    if (step === at) throw new Error(at);
  };
}
