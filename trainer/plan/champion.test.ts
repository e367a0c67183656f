import { expect, it } from 'vitest';
import { featureDigest } from '../../contract/estimator.ts';
import { publish } from '../../registry/publish.ts';
import { pin } from '../../registry/rollouts.ts';
import { describeStores } from '../../registry/testing/stores.ts';
import { estimator, lineModel } from '../run/testing/line.ts';
import { factsOf, readModels } from './champion.ts';
import { codeName, codeOf, serverCode } from './code.ts';
import { planModels } from './plan.ts';

const old = codeOf(estimator);
const next = codeOf({
  ...estimator,
  version: '2.0.0',
  features: [...estimator.features, { name: 'z', type: 'number', encoding: 'identity' }],
});

describeStores('what the bucket has for the code that runs here', ({ open, files }) => {
  const stage = async () => {
    const { store } = await open();
    const put = async (slope: number, code = old) =>
      publish({
        store,
        source: await files({ 'model.onnx': lineModel(slope) }),
        model: 'line-a',
        details: { code: { ...code }, requires: { estimator: `^${code.version}` } },
      });
    const read = async (code = old) => (await readModels(store, ['line-a', 'line-b'], serverCode(code))).get('line-a');
    const reason = async (code = old) => {
      const found = await readModels(store, ['line-a'], serverCode(code));
      const facts = new Map([...found].map(([model, entry]) => [model, factsOf(entry)]));
      return planModels(['line-a'], facts, { mode: { kind: 'ensure' }, now: 0 })[0]?.reason;
    };
    return { store, put, read, reason };
  };

  it('is the newest version that fits, and the pinned one before all', async () => {
    const { store, put, read } = await stage();
    expect(await read()).toBeUndefined();
    await put(2);
    await put(3);
    expect(await read()).toMatchObject({ versions: 2, retired: false, champion: { version: 2 } });
    await pin(store, 'line-a', 1, { clock: { now: Date.now, sleep: async () => undefined }, random: Math.random });
    expect((await read())!.champion!.version).toBe(1);
  });

  it('is nothing when the features changed, until a version of the new code is there; the old code keeps its own', async () => {
    const { put, read, reason } = await stage();
    expect(await reason()).toBe('missing');
    await put(2);
    expect(await reason()).toBeUndefined();
    expect(await reason(next)).toBe('incompatible');
    await put(3, next);
    expect(await reason(next)).toBeUndefined();
    expect((await read(next))!.champion!.version).toBe(2);
    expect((await read(old))!.champion!.version).toBe(1);
  });

  it('is not one whose manifest is another than the index vouches for', async () => {
    const { store, put, read } = await stage();
    await put(2);
    await store.put('line-a/1/manifest.json', Buffer.from('{}'), {});
    expect(await read()).toEqual({ versions: 1, retired: false });
  });
});

it('code of another version or other features has a queue of its own', () => {
  expect(featureDigest(estimator.features)).toBe(old.features);
  const names = [old, next, { ...old, version: '1.0.1' }].map(codeName);
  expect(new Set(names).size).toBe(3);
  expect(names[0]).toMatch(/^line-[0-9a-f]{12}$/);
});
