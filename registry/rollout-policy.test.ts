import { expect, it } from 'vitest';
import { digestOf } from '../contract/manifest.ts';
import { linearModel } from '../contract/onnx/testing/models.ts';
import { systemClock } from '../platform/clock.ts';
import { readIndex } from './index-file.ts';
import type { ObjectStore } from './object-store.ts';
import { publish } from './publish.ts';
import { readRollout } from './rollout-file.ts';
import { type RolloutWish, setRollout } from './rollout-policy.ts';
import { pin, retire } from './rollouts.ts';
import { bytesOf, readObject } from './testing/object-store-suite.ts';
import { describeStores, type TestStores } from './testing/stores.ts';

const write = { clock: systemClock, random: Math.random };
const EMPTY = { schemaVersion: 1 };

describeStores('policy and labels', ({ open, files }: TestStores) => {
  const prepare = async (count: number): Promise<ObjectStore> => {
    const { store } = await open();
    for (let i = 1; i <= count; i++) {
      const source = await files({ 'model.onnx': linearModel({ weights: [[i], [3]] }) });
      await publish({ store, model: 'demand', source });
    }
    return store;
  };

  it('are set, changed and taken away one by one; the index tells of it', async () => {
    const store = await prepare(3);
    const set = async (wish: RolloutWish) => (await setRollout(store, 'demand', wish, write)).rollout;
    expect(await set({ policy: { latest: 3 } })).toEqual({ ...EMPTY, policy: { latest: 3 } });
    expect(await set({ labels: { stable: 1, canary: 3 } })).toEqual({
      ...EMPTY,
      policy: { latest: 3 },
      labels: { stable: 1, canary: 3 },
    });
    expect(await set({ policy: { specific: [3, 1, 3] }, labels: { stable: 2 }, lazy: true })).toEqual({
      ...EMPTY,
      policy: { specific: [1, 3] },
      labels: { stable: 2, canary: 3 },
      lazy: true,
    });
    expect(await set({ policy: { all: true }, unlabel: ['canary'] })).toMatchObject({
      policy: { all: true },
      labels: { stable: 2 },
      lazy: true,
    });
    expect(await set({ policy: 'default', unlabel: ['stable'], lazy: false })).toEqual(EMPTY);
    expect(await readRollout(store, 'demand')).toEqual(EMPTY);
    expect((await readIndex(store))!.models[0]!.rollout).toBe(
      digestOf((await readObject(store, 'demand/rollout.json')).bytes),
    );
  });

  it('leave what they are not about, and an unchanged rollout unwritten', async () => {
    const store = await prepare(2);
    await store.put('demand/rollout.json', bytesOf('{"schemaVersion":1,"canary":{"share":5},"pin":1}'), {});
    const wish: RolloutWish = { policy: { latest: 1 }, labels: { stable: 1 } };
    const first = await setRollout(store, 'demand', wish, write);
    expect(first.rollout).toEqual({ ...EMPTY, canary: { share: 5 }, pin: 1, ...wish });
    expect(first.notes).toEqual([expect.stringContaining('kedge unpin demand')]);
    const { generation } = (await readIndex(store))!;
    expect((await setRollout(store, 'demand', wish, write)).rollout).toEqual(first.rollout);
    expect((await setRollout(store, 'demand', {}, write)).rollout).toEqual(first.rollout);
    expect((await readIndex(store))!.generation).toBe(generation);
  });

  it('lose none of many changes at once', async () => {
    const store = await prepare(1);
    const names = Array.from({ length: 8 }, (_, i) => `label${i}`);
    await Promise.all(names.map((name) => setRollout(store, 'demand', { labels: { [name]: 1 } }, write)));
    expect(Object.keys((await readRollout(store, 'demand'))!.labels!).toSorted()).toEqual(names);
  });

  it('name no version that is not there or cannot serve', async () => {
    const store = await prepare(2);
    await store.put('demand/6/claim.json', bytesOf('{}'), {});
    await retire(store, 'demand', [1], write);
    const refused = (wish: RolloutWish, model = 'demand') => expect(setRollout(store, model, wish, write)).rejects;
    await refused({ policy: { specific: [2, 9] } }).toMatchObject({ code: 'version-unknown' });
    await refused({ labels: { a: 9 } }).toMatchObject({ code: 'version-unknown' });
    await refused({ labels: { a: 6 } }).toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/incomplete/),
    });
    await refused({ labels: { a: 1 } }).toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/kedge retire demand 1 --undo/),
    });
    await refused({ labels: { '1': 2 } }).toMatchObject({ code: 'name-invalid' });
    await refused({ unlabel: ['a b'] }).toMatchObject({ code: 'name-invalid' });
    await refused({ lazy: true }, 'damand').toMatchObject({ code: 'model-unknown' });
    await retire(store, 'demand', true, write);
    await refused({ lazy: true }).toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/kedge retire demand --undo/),
    });
  });

  it('tell what may not have been meant', async () => {
    const store = await prepare(2);
    const notes = async (wish: RolloutWish) => (await setRollout(store, 'demand', wish, write)).notes;
    expect(await notes({ unlabel: ['gone'], labels: { stable: 1 } })).toEqual(['demand had no label gone.']);
    expect((await retire(store, 'demand', [1], write)).notes).toEqual(['The label stable still points at version 1.']);
    expect(await notes({ policy: { specific: [2] } })).toEqual([]);
    expect((await retire(store, 'demand', [2], write)).notes).toEqual(['No version of demand is left to serve.']);
    expect(await notes({ lazy: true })).toEqual(['No version of demand that the policy allows can serve.']);
    await expect(pin(store, 'demand', 2, write)).rejects.toMatchObject({ code: 'conflict' });
  });
});
