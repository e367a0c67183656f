import { describe, expect, it } from 'vitest';
import { linearModel } from '../contract/onnx/testing/models.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { gc } from './gc.ts';
import { readIndex } from './index-file.ts';
import { listModels } from './list-models.ts';
import type { ObjectStore } from './object-store.ts';
import { publish } from './publish.ts';
import { readClaim } from './publish-claim.ts';
import { retire } from './rollouts.ts';
import { bytesOf, listKeys } from './testing/object-store-suite.ts';
import { overriding } from './testing/overriding.ts';
import { describeStores, type TestStores } from './testing/stores.ts';

const HOUR = 3600_000;
const write = { clock: systemClock, random: Math.random };
const inHours = (hours: number): { clock: Clock; random: () => number } => ({
  clock: { ...systemClock, now: () => Date.now() + hours * HOUR },
  random: Math.random,
});

describeStores('gc', ({ open, files }: TestStores) => {
  const publishOne = async (store: ObjectStore, stopAt?: string): Promise<unknown> => {
    const source = await files({ 'model.onnx': linearModel() });
    const onStep = (step: string): void => {
      if (step === stopAt) throw new Error('killed');
    };
    return publish({ store, model: 'demand', source, onStep }).catch((error) => error);
  };

  it('removes incomplete versions that have rested, claim and all, and nothing else', async () => {
    const { store } = await open();
    await publishOne(store);
    await publishOne(store, 'file model.onnx');
    await publishOne(store, 'manifest');
    await store.put('demand/9/model.onnx', linearModel(), {});
    await store.put('notes.txt', bytesOf('not Kedge'), {});
    const before = await listKeys(store, '');
    expect(await gc(store, inHours(23))).toEqual([]);
    const planned = await gc(store, { ...inHours(25), dryRun: true });
    expect(planned).toMatchObject([
      { model: 'demand', version: 2, reason: 'incomplete', objects: 1 },
      { model: 'demand', version: 3, reason: 'incomplete', objects: 2 },
    ]);
    expect(await listKeys(store, '')).toEqual(before);
    expect(await gc(store, inHours(25))).toEqual(planned);
    expect(await listKeys(store, '')).toEqual(before.filter((key) => !/^demand\/[23]\//.test(key)));
    expect(await gc(store, inHours(25))).toEqual([]);
  });

  it('lets no number be given again', async () => {
    const { store } = await open();
    await publishOne(store, 'manifest');
    await gc(store, inHours(25));
    expect(await listKeys(store, 'demand/')).toEqual([]);
    await publishOne(store);
    expect((await listModels(store))[0]!.versions.map(({ version }) => version)).toEqual([2]);
    await retire(store, 'demand', [2], write);
    await gc(store, { ...write, retired: true });
    expect(await listKeys(store, 'demand/')).toEqual(['demand/rollout.json']);
    await publishOne(store);
    expect((await listModels(store))[0]!.versions.map(({ version }) => version)).toEqual([3]);
    expect((await readIndex(store))!.models[0]!.versions.map(({ version }) => version)).toEqual([3]);
  });

  describe('of retired versions', () => {
    it('removes the files only when asked, and takes them out of the index', async () => {
      const { store } = await open();
      await publishOne(store);
      await publishOne(store);
      await store.put('demand/3/model.onnx', linearModel(), {});
      await retire(store, 'demand', [1, 3], write);
      expect(await gc(store, inHours(100))).toEqual([]);
      expect(await gc(store, { ...write, retired: true })).toMatchObject([
        { version: 1, reason: 'retired', objects: 3 },
        { version: 3, reason: 'retired', objects: 1 },
      ]);
      expect((await listKeys(store, 'demand/')).map((key) => key.split('/')[1])).toEqual([
        '2',
        '2',
        '2',
        'rollout.json',
      ]);
      expect((await readIndex(store))!.models[0]).toMatchObject({ versions: [{ version: 2 }], removed: 3 });
    });

    it('removes all of a retired model', async () => {
      const { store } = await open();
      await publishOne(store);
      await retire(store, 'demand', true, write);
      await gc(store, { ...write, retired: true });
      expect(await listKeys(store, 'demand/')).toEqual(['demand/rollout.json']);
      expect(await listModels(store)).toMatchObject([{ model: 'demand', retired: true, versions: [] }]);
    });

    it('killed in between, leaves an incomplete version that the next one removes', async () => {
      const { store } = await open();
      await publishOne(store);
      await retire(store, 'demand', [1], write);
      let deletes = 0;
      const dying = overriding(store, {
        delete: async (key) => {
          if (++deletes > 1) throw new Error('killed');
          await store.delete(key);
        },
      });
      await expect(gc(dying, { ...write, retired: true })).rejects.toThrow('killed');
      expect((await listModels(store))[0]!.versions[0]!.kind).toBe('incomplete');
      await gc(store, inHours(25));
      expect(await listKeys(store, 'demand/')).toEqual(['demand/rollout.json']);
    });
  });

  it('leaves a version that its publisher goes on with at the last moment', async () => {
    const { store } = await open();
    await publishOne(store, 'manifest');
    const late = overriding(store, {
      head: async (key) => {
        if (key.endsWith('manifest.json')) await store.put(key, bytesOf('{}'), { create: true });
        return store.head(key);
      },
    });
    await gc(late, inHours(25));
    expect(await listKeys(store, 'demand/1/')).toHaveLength(3);
    expect((await readClaim(store, 'demand', 1))?.claim.abandonedAt).toBeDefined();
  });
});
