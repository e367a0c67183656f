import { expect, it } from 'vitest';
import { digestOf } from '../contract/manifest.ts';
import { linearModel } from '../contract/onnx/testing/models.ts';
import { systemClock } from '../platform/clock.ts';
import { readIndex } from './index-file.ts';
import type { ObjectStore } from './object-store.ts';
import { publish } from './publish.ts';
import { changeRollout, readRollout } from './rollout-file.ts';
import { pin, retire, unpin, unretire } from './rollouts.ts';
import { bytesOf, readObject } from './testing/object-store-suite.ts';
import { describeStores, type TestStores } from './testing/stores.ts';

const write = { clock: systemClock, random: Math.random };
const EMPTY = { schemaVersion: 1 };

describeStores('rollouts', ({ open, files }: TestStores) => {
  /** Versions 1 to `count` alike, then one that takes another input. */
  const prepare = async (count: number, breaking = false): Promise<ObjectStore> => {
    const { store } = await open();
    for (let i = 1; i <= count; i++) {
      const source = await files({ 'model.onnx': linearModel({ weights: [[i], [3]] }) });
      await publish({ store, model: 'demand', source });
    }
    if (breaking) {
      const source = await files({ 'model.onnx': linearModel({ input: 'features' }) });
      await publish({ store, model: 'demand', source, allowBreaking: true });
    }
    return store;
  };
  const indexed = async (store: ObjectStore): Promise<string | undefined> =>
    (await readIndex(store))!.models[0]!.rollout;

  it('pins and unpins; the index tells of each change', async () => {
    const store = await prepare(2);
    const generation = (await readIndex(store))!.generation;
    expect(await indexed(store)).toBeUndefined();
    expect(await pin(store, 'demand', 1, write)).toEqual({ rollout: { ...EMPTY, pin: 1 }, notes: [] });
    expect(await readRollout(store, 'demand')).toEqual({ ...EMPTY, pin: 1 });
    expect(await indexed(store)).toBe(digestOf((await readObject(store, 'demand/rollout.json')).bytes));
    expect(await unpin(store, 'demand', write)).toEqual({ rollout: EMPTY, notes: [] });
    expect(await indexed(store)).toBe(digestOf((await readObject(store, 'demand/rollout.json')).bytes));
    expect((await readIndex(store))!.generation).toBe(generation + 2);
    expect((await unpin(store, 'demand', write)).notes).toEqual(['demand had no pin.']);
  });

  it('makes a pinned version that breaks with the contract the contract, and unpin takes it back', async () => {
    const store = await prepare(2, true);
    const pinned = await pin(store, 'demand', 3, write);
    expect(pinned.rollout).toEqual({ ...EMPTY, pin: 3, contract: 3, contractBefore: null });
    expect(pinned.notes).toEqual([expect.stringContaining('contract of demand while it is pinned')]);
    expect((await pin(store, 'demand', 3, write)).notes).toEqual([]);
    const unpinned = await unpin(store, 'demand', write);
    expect(unpinned).toEqual({ rollout: EMPTY, notes: [expect.stringContaining('is the oldest version again')] });
    // What clients of version 1 rely on can be published again.
    const like1 = await files({ 'model.onnx': linearModel({ weights: [[7], [3]] }) });
    expect((await publish({ store, model: 'demand', source: like1 })).version).toBe(4);
  });

  it('keeps the contract that a pin set where newer versions follow it, or where it is told to', async () => {
    const store = await prepare(2, true);
    await pin(store, 'demand', 3, write);
    const told = await unpin(store, 'demand', { ...write, keepContract: true });
    expect(told).toEqual({ rollout: { ...EMPTY, contract: 3 }, notes: [expect.stringContaining('Version 3 stays')] });

    const pinned = await pin(store, 'demand', 1, write);
    expect(pinned.rollout).toEqual({ ...EMPTY, pin: 1, contract: 1, contractBefore: 3 });
    expect((await pin(store, 'demand', 3, write)).rollout).toMatchObject({ contract: 3, contractBefore: 3 });
    const like3 = await files({ 'model.onnx': linearModel({ input: 'features', weights: [[9], [9]] }) });
    await publish({ store, model: 'demand', source: like3 });
    const followed = await unpin(store, 'demand', write);
    expect(followed.rollout).toEqual({ ...EMPTY, contract: 3 });
    expect(followed.notes).toEqual([expect.stringContaining('because version 4 keeps to it')]);
    await pin(store, 'demand', 2, write);
    expect((await unpin(store, 'demand', write)).rollout).toEqual({ ...EMPTY, contract: 3 });
  });

  it('names another version for the contract that unpin gives back when that one retires', async () => {
    const store = await prepare(2, true);
    await store.put('demand/rollout.json', bytesOf('{"schemaVersion":1,"contract":1}'), {});
    await pin(store, 'demand', 3, write);
    expect((await retire(store, 'demand', [1], write)).rollout).toMatchObject({ contract: 3, contractBefore: 2 });
    expect((await unpin(store, 'demand', write)).rollout).toEqual({ ...EMPTY, contract: 2, retired: [1] });
  });

  it('keeps what it does not know in rollout.json', async () => {
    const store = await prepare(1);
    await store.put('demand/rollout.json', bytesOf('{"schemaVersion":1,"canary":{"share":5}}'), {});
    expect((await pin(store, 'demand', 1, write)).rollout).toEqual({ ...EMPTY, canary: { share: 5 }, pin: 1 });
  });

  it('pins a bare version, and none that cannot serve', async () => {
    const store = await prepare(1);
    await store.put('demand/5/model.onnx', linearModel(), {});
    await store.put('demand/6/claim.json', bytesOf('{}'), {});
    await store.put('demand/7/model.onnx', bytesOf('<html>'), {});
    expect((await pin(store, 'demand', 5, write)).rollout.pin).toBe(5);
    const refused = (version: number) => expect(pin(store, 'demand', version, write)).rejects;
    await refused(6).toMatchObject({ code: 'conflict', message: expect.stringContaining('incomplete') });
    await refused(7).toMatchObject({ code: 'conflict', message: expect.stringContaining('kedge inspect demand 7') });
    await refused(9).toMatchObject({
      code: 'version-unknown',
      message: expect.stringContaining('there are 1, 5, 6, 7'),
    });
    await expect(pin(store, 'damand', 1, write)).rejects.toMatchObject({ code: 'model-unknown' });
    await expect(unpin(store, 'damand', write)).rejects.toMatchObject({ code: 'model-unknown' });
    await expect(pin(store, '../x', 1, write)).rejects.toMatchObject({ code: 'name-invalid' });
    expect((await readRollout(store, 'demand'))?.pin).toBe(5);
  });

  it('a release of the estimator with other features keeps the contract, whatever its inputs', async () => {
    const store = await prepare(0);
    const release = async (digit: number, input: string, allowBreaking = false): Promise<void> => {
      const code = { estimator: 'e', version: `${digit}.0.0`, features: `sha256:${`${digit}`.repeat(64)}` };
      const source = await files({ 'model.onnx': linearModel({ input }) });
      await publish({ store, model: 'demand', source, details: { code }, allowBreaking });
    };
    await release(1, 'one');
    await release(2, 'two');
    expect(await pin(store, 'demand', 2, write)).toEqual({ rollout: { ...EMPTY, pin: 2 }, notes: [] });
    await unpin(store, 'demand', write);
    // With the features of the first, its inputs bind; what follows this one has features of its own.
    await release(1, 'other', true);
    expect((await pin(store, 'demand', 3, write)).rollout).toMatchObject({ contract: 3 });
    await release(3, 'three');
    expect((await unpin(store, 'demand', write)).rollout).toEqual({ ...EMPTY, contract: 3 });
    expect((await retire(store, 'demand', [3], write)).rollout).toMatchObject({ contract: 2 });
  });

  it('retires versions and brings them back', async () => {
    const store = await prepare(3);
    expect((await retire(store, 'demand', [3], write)).rollout).toEqual({ ...EMPTY, retired: [3] });
    expect((await retire(store, 'demand', [1, 3], write)).rollout).toEqual({ ...EMPTY, retired: [1, 3] });
    await expect(pin(store, 'demand', 3, write)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('kedge retire demand 3 --undo'),
    });
    expect((await unretire(store, 'demand', [3], write)).rollout).toEqual({ ...EMPTY, retired: [1] });
    expect((await unretire(store, 'demand', [1], write)).rollout).toEqual(EMPTY);
    await expect(retire(store, 'demand', [1, 4], write)).rejects.toMatchObject({ code: 'version-unknown' });
    expect((await retire(store, 'demand', [1, 2, 3], write)).notes).toEqual(['No version of demand is left to serve.']);
  });

  it('retires a model as a whole and brings it back', async () => {
    const store = await prepare(2);
    await pin(store, 'demand', 1, write);
    expect((await retire(store, 'demand', true, write)).rollout).toEqual({ ...EMPTY, pin: 1, retired: true });
    const refusal = { code: 'conflict', message: expect.stringContaining('kedge retire demand --undo') };
    await expect(pin(store, 'demand', 2, write)).rejects.toMatchObject(refusal);
    await expect(unpin(store, 'demand', write)).rejects.toMatchObject(refusal);
    await expect(unretire(store, 'demand', [1], write)).rejects.toMatchObject(refusal);
    expect((await unretire(store, 'demand', true, write)).rollout).toEqual({ ...EMPTY, pin: 1 });
    await expect(retire(store, 'damand', true, write)).rejects.toMatchObject({ code: 'model-unknown' });
  });

  it('does not retire the pinned version', async () => {
    const store = await prepare(2);
    await pin(store, 'demand', 1, write);
    await expect(retire(store, 'demand', [1], write)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('kedge unpin demand'),
    });
  });

  it('keeps the contract when the version that set it retires', async () => {
    const store = await prepare(1, true);
    await pin(store, 'demand', 2, write);
    const like2 = await files({ 'model.onnx': linearModel({ input: 'features', weights: [[9], [9]] }) });
    await publish({ store, model: 'demand', source: like2 });
    await unpin(store, 'demand', write);
    expect((await retire(store, 'demand', [2], write)).rollout).toEqual({ ...EMPTY, contract: 3, retired: [2] });
    const like1 = await files({ 'model.onnx': linearModel() });
    await expect(publish({ store, model: 'demand', source: like1 })).rejects.toMatchObject({ code: 'source-invalid' });
  });

  it('loses none of ten changes at once', async () => {
    const store = await prepare(1);
    const notes = Array.from({ length: 10 }, (_, i) => `n${i}`);
    await Promise.all(
      notes.map((note) => changeRollout(store, 'demand', write, (rollout) => ({ ...rollout, [note]: true }))),
    );
    expect(Object.keys((await readRollout(store, 'demand'))!).toSorted()).toEqual(
      [...notes, 'schemaVersion'].toSorted(),
    );
    expect(await indexed(store)).toBe(digestOf((await readObject(store, 'demand/rollout.json')).bytes));
  });

  it('says so when rollout.json is damaged, and leaves it', async () => {
    const store = await prepare(1);
    await store.put('demand/rollout.json', bytesOf('{"schemaVersion":1,"pin":"one"}'), {});
    await expect(pin(store, 'demand', 1, write)).rejects.toMatchObject({
      code: 'document-invalid',
      message: expect.stringMatching(/rollout\.json does not have its form: at pin/),
    });
  });
});
