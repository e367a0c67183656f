import { expect, it } from 'vitest';
import { scanBucket } from '../../registry/bucket-scan.ts';
import { describeStores } from '../../registry/testing/stores.ts';
import { FITTED_MODEL, type FitResult, HELD_OUT_FILE } from './fit-entry.ts';
import { dropStaged, fetchStaged, gcStaging, handIn, readRoster, readStaged, writeRoster } from './staging.ts';

const DAY = 24 * 3_600_000;
const result: FitResult = {
  input: 'x',
  output: 'y',
  rows: 1,
  columns: 1,
  details: { training: { loss: Number.NaN } },
  report: { slope: 2 },
  cost: { ms: 1, cpuMs: 1, peakBytes: 1 },
};

describeStores('what workers hand in', ({ open, files }) => {
  const of = async (attempt: string, model = 'Model.') => ({
    model: 'a',
    attempt,
    result,
    folder: await files({ [FITTED_MODEL]: model, [HELD_OUT_FILE]: 'Rows.' }),
  });

  it('is no version, comes back whole, and the first of a model counts', async () => {
    const { store } = await open();
    expect(await readStaged(store, 'r', 'a')).toBeUndefined();
    const staged = await handIn(store, 'r', await of('one'));
    expect(await handIn(store, 'r', await of('two', 'Another.'))).toEqual(staged);
    expect(await readStaged(store, 'r', 'a')).toEqual(staged);
    expect(staged.attempt).toBe('one');
    await fetchStaged(store, 'r', staged, await files({}));
    expect([...(await scanBucket(store)).keys()]).toEqual([]);
  });

  it('that changed is refused', async () => {
    const { store } = await open();
    const staged = await handIn(store, 'r', await of('one'));
    await store.put('_train/r/a/one/model.onnx', Buffer.from('Other.'), {});
    await expect(fetchStaged(store, 'r', staged, await files({}))).rejects.toMatchObject({ code: 'object-corrupt' });
  });

  it('goes when it is published, or when nobody came for it', async () => {
    const { store } = await open();
    await handIn(store, 'r', await of('one'));
    await dropStaged(store, 'r', 'a');
    expect(await readStaged(store, 'r', 'a')).toBeUndefined();
    await handIn(store, 'r2', await of('one'));
    await writeRoster(store, 'line', ['a']);
    const at = (ms: number) => ({ clock: { now: () => Date.now() + ms } });
    expect(await gcStaging(store, at(29 * DAY))).toEqual([]);
    expect(await gcStaging(store, { ...at(31 * DAY), dryRun: true })).toMatchObject([{ run: 'r2', objects: 3 }]);
    expect(await gcStaging(store, at(31 * DAY))).toMatchObject([{ run: 'r2', objects: 3 }]);
    expect(await gcStaging(store, at(31 * DAY))).toEqual([]);
    expect(await readRoster(store, 'line')).toEqual(['a']);
  });
});
