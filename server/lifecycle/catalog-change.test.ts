import { describe, expect, it } from 'vitest';
import { linearModel } from '../../contract/onnx/testing/models.ts';
import { useStage } from '../testing/stage.ts';

const model = linearModel();
const stage = useStage();

describe('absence is no news', () => {
  it.each<[string, () => void]>([
    ['a catalog without models', () => stage().volume.drop('m')],
    ['a catalog without the version', () => stage().volume.drop('m', 1)],
    [
      'a catalog that refuses the version',
      () => stage().volume.refuse('m', 1, [{ code: 'version-changed', message: 'It changed.' }]),
    ],
  ])('%s', async (_what, change) => {
    await stage().settleFirst();
    change();
    await stage().show();
    expect([stage().active(), stage().states()]).toEqual([1, { 1: 'ready' }]);
    expect(stage().manager.model('m')!.active!.isReady).toBe(true);
  });

  it('a refused version that vanished is forgotten', async () => {
    await stage().settleFirst();
    stage().add('m', 2);
    await stage().show();
    await stage().fail('m/2', 'engine-failed');
    stage().volume.drop('m', 2);
    await stage().show();
    expect(stage().states()).toEqual({ 1: 'ready' });
  });
});

describe('retirement', () => {
  it('of a model takes it away, and then its name', async () => {
    await stage().settleFirst();
    stage().volume.rollout('m', { retired: true });
    await stage().show();
    expect([stage().active(), stage().states(), stage().engine.released]).toEqual([
      undefined,
      { 1: 'released' },
      ['m/1'],
    ]);
    stage().volume.drop('m');
    await stage().show();
    await stage().show();
    expect(stage().manager.model('m')).toBeUndefined();
  });

  it('of the active version waits for another one to load', async () => {
    stage().remake({ keepReady: 1 });
    stage().add('m', 1);
    stage().add('m', 2);
    await stage().show();
    await stage().finish('m/2');
    stage().volume.rollout('m', { retired: [2] });
    await stage().show();
    expect([stage().active(), stage().engine.loading]).toEqual([2, ['m/1']]);
    await stage().finish('m/1');
    expect([stage().active(), stage().states()]).toEqual([1, { 1: 'ready', 2: 'released' }]);
  });
});

it('another content of the same version is loaded beside it, and takes over', async () => {
  await stage().settleFirst();
  const before = stage().version(1);
  stage().volume.add('m', 1, linearModel({ bias: [7] }));
  await stage().show();
  expect(stage().manager.model('m')!.active).toBe(before);
  await stage().finish('m/1');
  expect(stage().manager.model('m')!.active!.digest).not.toBe(before.digest);
  expect([before.state, stage().active()]).toEqual(['released', 1]);
});

describe('a change of the catalog', () => {
  /** Names of models that were stepped since. */
  function watchSteps(): Set<string> {
    const stepped = new Set<string>();
    for (const one of stage().manager.models()) {
      const view = one.view.bind(one);
      one.view = () => {
        stepped.add(one.name);
        return view();
      };
    }
    return stepped;
  }

  it('steps only the models of which it says something else', async () => {
    for (const name of ['a', 'b', 'c']) stage().add(name, 1);
    const before = stage().volume.next();
    await stage().manager.update(before);
    await stage().turn();
    for (const name of ['a', 'b', 'c']) await stage().finish(`${name}/1`);
    const stepped = watchSteps();
    stage().volume.rollout('b', { retired: true });
    const [, changed] = stage().volume.next().models;
    await stage().manager.update({ ...before, models: [before.models[0]!, changed!, before.models[2]!] });
    await stage().turn();
    expect([[...stepped], stage().active('b')]).toEqual([['b'], undefined]);
    stepped.clear();
    const without = { ...before, models: before.models.slice(0, 2) };
    await stage().manager.update(without);
    await stage().turn();
    expect([...stepped]).toEqual(['b', 'c']);
    stepped.clear();
    await stage().manager.update(without);
    await stage().turn();
    expect([...stepped]).toEqual([]);
    await stage().manager.update(before);
    await stage().turn();
    expect([...stepped]).toEqual(['c']);
    expect(stage().manager.model('c')!.find(1)!.vouched).toBe(true);
  });

  it('of many models is taken some in a turn, each whole, and a newer one takes what is left', async () => {
    const names = Array.from({ length: 120 }, (_, index) => `m${String(index).padStart(3, '0')}`);
    const entry = stage().volume.add('m', 1, model);
    const catalogOf = (latest: number) => ({
      ...stage().volume.next(),
      models: names.map((name) => ({
        name,
        rollout: { schemaVersion: 1 as const, policy: { latest } },
        versions: [{ ...entry, version: latest }],
      })),
    });
    const seen = (): (string | undefined)[] =>
      names.map((name) => {
        const one = stage().manager.model(name);
        const [{ entry: taken } = { entry: undefined }] = one?.versions ?? [];
        return one && `${JSON.stringify(one.rollout?.policy)} ${taken?.version}`;
      });
    const first = stage().manager.update(catalogOf(1));
    const partly = seen();
    expect(partly.filter((one) => one === undefined)).toHaveLength(70);
    expect(new Set(partly)).toEqual(new Set(['{"latest":1} 1', undefined]));
    const second = stage().manager.update(catalogOf(2));
    expect(new Set(seen())).toEqual(new Set(['{"latest":2} 2', undefined]));
    await Promise.all([first, second]);
    expect(new Set(seen())).toEqual(new Set(['{"latest":2} 2']));
  });
});
