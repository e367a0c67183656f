import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KedgeError } from '../../contract/errors.ts';
import { linearModel } from '../../contract/onnx/testing/models.ts';
import type { Tensors } from '../../contract/tensor.ts';
import { silentLog } from '../../platform/log.ts';
import { FakeEngine } from '../testing/fake-engine.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { TestVolume } from '../testing/volume.ts';
import { type ManagerOptions, VersionManager } from './manager.ts';

const model = linearModel();
const ESTIMATOR = { name: 'demo', version: '1.0.0', features: `sha256:${'1'.repeat(64)}` };

let volume: TestVolume;
let engine: FakeEngine;
let clock: ManualClock;
let manager: VersionManager;

function create(options: Partial<ManagerOptions> = {}): VersionManager {
  return new VersionManager({
    volume: volume.dir,
    engines: { inline: engine, host: engine },
    engineMode: 'auto',
    code: { server: '1.0.0', estimators: [ESTIMATOR] },
    keepReady: 2,
    loadRetries: 2,
    parallelLoads: 4,
    lazyWaitMs: 5_000,
    firstLoadsMs: 60_000,
    memoryBudgetBytes: undefined,
    residentBytes: () => 0,
    clock,
    random: () => 1,
    log: silentLog,
    ...options,
  });
}

beforeEach(() => {
  volume = new TestVolume();
  engine = new FakeEngine();
  clock = new ManualClock();
  manager = create();
});
afterEach(() => volume.remove());

/** Shows the manager what the volume has now. */
async function show(): Promise<void> {
  manager.update(volume.next());
  await turn();
}

/** Lets everything that waits for nothing but its turn have it. */
async function turn(): Promise<void> {
  await new Promise(setImmediate);
}

async function finish(name: string): Promise<void> {
  engine.finish(name);
  await turn();
}

async function fail(name: string, code: KedgeError['code']): Promise<void> {
  engine.fail(name, new KedgeError(code, `${name} failed.`));
  await turn();
}

const active = (name = 'm'): number | undefined => manager.model(name)?.active?.version;
const states = (name = 'm'): Record<number, string> =>
  Object.fromEntries((manager.model(name)?.versions ?? []).map(({ version, state }) => [version, state]));
const version = (number: number) => manager.model('m')!.find(number)!;

/** Version 1 answers. */
async function settleFirst(): Promise<void> {
  volume.add('m', 1, model);
  await show();
  await finish('m/1');
}

describe('rolling forward', () => {
  it('loads, warms up, swaps, and keeps the version before', async () => {
    await settleFirst();
    expect(active()).toBe(1);
    volume.add('m', 2, model);
    await show();
    expect([active(), states()]).toEqual([1, { 1: 'ready', 2: 'loading' }]);
    const warm = Promise.withResolvers<Tensors>();
    engine.run = () => warm.promise;
    await finish('m/2');
    expect([active(), states()]).toEqual([1, { 1: 'ready', 2: 'warming' }]);
    warm.resolve(new Map());
    await turn();
    expect([active(), states()]).toEqual([2, { 1: 'ready', 2: 'ready' }]);
    expect(version(2).history.map(({ state }) => state)).toEqual(['discovered', 'loading', 'warming', 'ready']);
  });

  it('releases what is beyond the kept ones after its last request', async () => {
    await settleFirst();
    const first = version(1);
    first.enter();
    first.enter();
    volume.add('m', 2, model);
    volume.add('m', 3, model);
    await show();
    await finish('m/3');
    expect([active(), states()]).toEqual([3, { 1: 'ready', 2: 'loading', 3: 'ready' }]);
    await finish('m/2');
    expect([active(), states()]).toEqual([3, { 1: 'draining', 2: 'ready', 3: 'ready' }]);
    expect(() => first.enter()).toThrow(/draining/);
    first.leave();
    expect([first.state, engine.released]).toEqual(['draining', []]);
    first.leave();
    await turn();
    expect([first.state, engine.released]).toEqual(['released', ['m/1']]);
  });

  it('takes a draining version back when it is wanted again', async () => {
    await settleFirst();
    const first = version(1);
    first.enter();
    volume.add('m', 2, model);
    volume.add('m', 3, model);
    await show();
    await finish('m/2');
    await finish('m/3');
    expect(first.state).toBe('draining');
    volume.rollout('m', { pin: 1 });
    await show();
    expect([active(), states()]).toEqual([1, { 1: 'ready', 2: 'released', 3: 'ready' }]);
    first.leave();
    expect([first.state, engine.begun]).toEqual(['ready', ['m/1', 'm/3', 'm/2']]);
  });

  it('loads the newest first, no more at a time than told', async () => {
    manager = create({ parallelLoads: 1, keepReady: 3 });
    for (const number of [1, 2, 3]) volume.add('m', number, model);
    volume.add('n', 7, model);
    await show();
    expect(engine.loading).toEqual(['m/3']);
    await finish('m/3');
    expect(engine.loading).toEqual(['n/7']);
    await finish('n/7');
    expect(engine.loading).toEqual(['m/2']);
    await finish('m/2');
    await finish('m/1');
    expect(states()).toEqual({ 1: 'ready', 2: 'ready', 3: 'ready' });
  });

  it('a release that fails ends nothing', async () => {
    await settleFirst();
    engine.releaseError = new Error('it hangs on');
    const loaded = version(1);
    volume.rollout('m', { retired: true });
    await show();
    await loaded.drained();
    expect([active(), loaded.state, engine.released]).toEqual([undefined, 'released', ['m/1']]);
  });
});

describe('a candidate that is bad leaves the active version alone', () => {
  beforeEach(settleFirst);

  it.each<[KedgeError['code'], string, string]>([
    ['engine-failed', 'refused', 'load-failed'],
    ['object-corrupt', 'failed', 'digest-mismatch'],
    ['engine-timeout', 'failed', 'load-timeout'],
    ['engine-crashed', 'failed', 'process-crashed'],
    ['engine-memory', 'failed', 'memory-limit'],
    ['internal', 'failed', 'fetch-failed'],
  ])('its load ends with %s: %s, %s', async (error, state, code) => {
    volume.add('m', 2, model);
    await show();
    await fail('m/2', error);
    expect([active(), version(2).state, version(2).reasons.map((reason) => reason.code)]).toEqual([1, state, [code]]);
  });

  it.each<[KedgeError['code'], string, string]>([
    ['engine-failed', 'refused', 'run-failed'],
    ['engine-timeout', 'failed', 'run-timeout'],
    ['engine-crashed', 'failed', 'process-crashed'],
  ])('its sample ends with %s: %s, %s', async (error, state, code) => {
    engine.run = (name) =>
      name === 'm/2' ? Promise.reject(new KedgeError(error, 'It failed.')) : Promise.resolve(new Map());
    volume.add('m', 2, model, { details: { samples: [sample(9)] } });
    await show();
    await finish('m/2');
    expect([active(), version(2).state, version(2).reasons.map((reason) => reason.code)]).toEqual([1, state, [code]]);
    expect(engine.released).toEqual(['m/2']);
  });

  it('its sample comes out wrong', async () => {
    engine.run = () =>
      Promise.resolve(new Map([['y', { datatype: 'FP32', shape: [1, 1], data: new Float32Array([9.5]) }]]));
    volume.add('m', 2, model, { details: { samples: [sample(9)] } });
    await show();
    await finish('m/2');
    expect([active(), states(), engine.released]).toEqual([1, { 1: 'ready', 2: 'refused' }, ['m/2']]);
    expect(version(2).reasons).toMatchObject([
      { code: 'samples-mismatch', message: expect.stringMatching(/Sample 0 .*9\.5.*9/) },
    ]);
  });

  it('its made-up input is refused, which says nothing', async () => {
    engine.run = () => Promise.reject(new KedgeError('engine-failed', 'No.'));
    volume.add('m', 2, model);
    await show();
    await finish('m/2');
    expect(active()).toBe(2);
  });

  it('its code is not here', async () => {
    const code = { estimator: 'demo', version: '2.0.0', features: `sha256:${'2'.repeat(64)}` };
    volume.add('m', 2, model, { details: { code, requires: { estimator: '^2.0.0', server: '>=9' } } });
    await show();
    expect([active(), states(), engine.begun]).toEqual([1, { 1: 'ready', 2: 'refused' }, ['m/1']]);
    expect(
      version(2)
        .reasons.map(({ code: reason }) => reason)
        .sort(),
    ).toEqual(['estimator-version', 'features-changed', 'server-version']);
  });
});

function sample(answer: number) {
  return {
    inputs: { x: { datatype: 'FP32' as const, shape: [1, 2], data: [1, 2] } },
    outputs: { y: { datatype: 'FP32' as const, shape: [1, 1], data: [answer] } },
    tolerance: { abs: 1e-5, rel: 1e-4 },
  };
}

describe('a load that failed', () => {
  it('is tried again after a while that doubles, until it succeeds', async () => {
    volume.add('m', 1, model);
    await show();
    for (const wait of [1_000, 2_000, 4_000]) {
      await fail('m/1', 'engine-crashed');
      expect([states(), clock.waits]).toEqual([{ 1: 'failed' }, [wait]]);
      await clock.advance(wait - 1);
      expect(engine.loading).toEqual([]);
      await clock.advance(1);
      expect(engine.loading).toEqual(['m/1']);
    }
    await finish('m/1');
    expect([active(), version(1).failures, clock.waits]).toEqual([1, 0, []]);
  });

  it('is given up beside a version that answers, until the loader looks again', async () => {
    await settleFirst();
    volume.add('m', 2, model);
    await show();
    for (const wait of [1_000, 2_000, 0]) {
      await fail('m/2', 'engine-crashed');
      await clock.advance(wait);
    }
    await clock.advance(1e9);
    expect([states(), engine.loading]).toEqual([{ 1: 'ready', 2: 'failed' }, []]);
    await show();
    expect(engine.loading).toEqual([]);
    volume.lookAgain('m', 2);
    await show();
    expect(engine.loading).toEqual(['m/2']);
  });

  it('lets the version before answer meanwhile', async () => {
    manager = create({ keepReady: 1 });
    volume.add('m', 1, model);
    volume.add('m', 2, model);
    await show();
    expect(engine.loading).toEqual(['m/2']);
    await fail('m/2', 'engine-crashed');
    await finish('m/1');
    expect(active()).toBe(1);
    await clock.advance(1_000);
    await finish('m/2');
    expect([active(), states()]).toEqual([2, { 1: 'released', 2: 'ready' }]);
  });
});

describe('absence is no news', () => {
  it.each<[string, () => void]>([
    ['a catalog without models', () => volume.drop('m')],
    ['a catalog without the version', () => volume.drop('m', 1)],
    [
      'a catalog that refuses the version',
      () => volume.refuse('m', 1, [{ code: 'version-changed', message: 'It changed.' }]),
    ],
  ])('%s', async (_what, change) => {
    await settleFirst();
    change();
    await show();
    expect([active(), states()]).toEqual([1, { 1: 'ready' }]);
    expect(manager.model('m')!.active!.isReady).toBe(true);
  });

  it('a refused version that vanished is forgotten', async () => {
    await settleFirst();
    volume.add('m', 2, model);
    await show();
    await fail('m/2', 'engine-failed');
    volume.drop('m', 2);
    await show();
    expect(states()).toEqual({ 1: 'ready' });
  });
});

describe('retirement', () => {
  it('of a model takes it away, and then its name', async () => {
    await settleFirst();
    volume.rollout('m', { retired: true });
    await show();
    expect([active(), states(), engine.released]).toEqual([undefined, { 1: 'released' }, ['m/1']]);
    volume.drop('m');
    await show();
    await show();
    expect(manager.model('m')).toBeUndefined();
  });

  it('of the active version waits for another one to load', async () => {
    manager = create({ keepReady: 1 });
    volume.add('m', 1, model);
    volume.add('m', 2, model);
    await show();
    await finish('m/2');
    volume.rollout('m', { retired: [2] });
    await show();
    expect([active(), engine.loading]).toEqual([2, ['m/1']]);
    await finish('m/1');
    expect([active(), states()]).toEqual([1, { 1: 'ready', 2: 'released' }]);
  });
});

it('another content of the same version is loaded beside it, and takes over', async () => {
  await settleFirst();
  const before = version(1);
  volume.add('m', 1, linearModel({ bias: [7] }));
  await show();
  expect(manager.model('m')!.active).toBe(before);
  await finish('m/1');
  expect(manager.model('m')!.active!.digest).not.toBe(before.digest);
  expect([before.state, active()]).toEqual(['released', 1]);
});

describe('a change of the catalog', () => {
  /** Names of models that were stepped since. */
  function watchSteps(): Set<string> {
    const stepped = new Set<string>();
    for (const one of manager.models()) {
      const view = one.view.bind(one);
      one.view = () => {
        stepped.add(one.name);
        return view();
      };
    }
    return stepped;
  }

  it('steps only the models of which it says something else', async () => {
    for (const name of ['a', 'b', 'c']) volume.add(name, 1, model);
    const before = volume.next();
    await manager.update(before);
    await turn();
    for (const name of ['a', 'b', 'c']) await finish(`${name}/1`);
    const stepped = watchSteps();
    volume.rollout('b', { retired: true });
    const [, changed] = volume.next().models;
    await manager.update({ ...before, models: [before.models[0]!, changed!, before.models[2]!] });
    await turn();
    expect([[...stepped], active('b')]).toEqual([['b'], undefined]);
    stepped.clear();
    const without = { ...before, models: before.models.slice(0, 2) };
    await manager.update(without);
    await turn();
    expect([...stepped]).toEqual(['b', 'c']);
    stepped.clear();
    await manager.update(without);
    await turn();
    expect([...stepped]).toEqual([]);
    await manager.update(before);
    await turn();
    expect([...stepped]).toEqual(['c']);
    expect(manager.model('c')!.find(1)!.vouched).toBe(true);
  });

  it('of many models is taken some in a turn, each whole, and a newer one takes what is left', async () => {
    const names = Array.from({ length: 120 }, (_, index) => `m${String(index).padStart(3, '0')}`);
    const entry = volume.add('m', 1, model);
    const catalogOf = (latest: number) => ({
      ...volume.next(),
      models: names.map((name) => ({
        name,
        rollout: { schemaVersion: 1 as const, policy: { latest } },
        versions: [{ ...entry, version: latest }],
      })),
    });
    const seen = (): (string | undefined)[] =>
      names.map((name) => {
        const one = manager.model(name);
        const [{ entry: taken } = { entry: undefined }] = one?.versions ?? [];
        return one && `${JSON.stringify(one.rollout?.policy)} ${taken?.version}`;
      });
    const first = manager.update(catalogOf(1));
    const partly = seen();
    expect(partly.filter((one) => one === undefined)).toHaveLength(70);
    expect(new Set(partly)).toEqual(new Set(['{"latest":1} 1', undefined]));
    const second = manager.update(catalogOf(2));
    expect(new Set(seen())).toEqual(new Set(['{"latest":2} 2', undefined]));
    await Promise.all([first, second]);
    expect(new Set(seen())).toEqual(new Set(['{"latest":2} 2']));
  });
});

describe('the first readiness waits', () => {
  const waiting = (): readonly string[] => manager.firstLoads;

  it('for each model of the first catalog, whether it answers, is refused or fails', async () => {
    for (const name of ['a', 'b', 'c']) volume.add(name, 1, model);
    volume.add('other', 1, model, { details: { requires: { server: '>=9' } } });
    volume.refuse('gone', 1, [{ code: 'opset', message: 'No.' }]);
    await show();
    expect(waiting()).toEqual(['a', 'b', 'c']);
    await finish('a/1');
    await fail('b/1', 'engine-failed');
    expect(waiting()).toEqual(['c']);
    await fail('c/1', 'engine-crashed');
    expect(waiting()).toEqual([]);
  });

  it('for the version before, where the newest one fails', async () => {
    manager = create({ keepReady: 1 });
    volume.add('m', 1, model);
    volume.add('m', 2, model);
    await show();
    await fail('m/2', 'engine-crashed');
    expect(waiting()).toEqual(['m']);
    await finish('m/1');
    expect(waiting()).toEqual([]);
  });

  it('for no lazy model and no spare version', async () => {
    volume.add('lazy', 1, model);
    volume.rollout('lazy', { lazy: true });
    volume.add('m', 1, model);
    volume.add('m', 2, model);
    await show();
    expect(waiting()).toEqual(['m']);
    await finish('m/2');
    expect([waiting(), engine.loading]).toEqual([[], ['m/1']]);
  });

  it('for nothing that comes later', async () => {
    await settleFirst();
    volume.add('m', 2, model);
    volume.add('n', 1, model);
    await show();
    expect([engine.loading, waiting()]).toEqual([['n/1', 'm/2'], []]);
  });

  it('no longer than it may', async () => {
    volume.add('m', 1, model);
    await show();
    await clock.advance(60_000);
    expect([engine.loading, waiting()]).toEqual([['m/1'], []]);
  });
});

describe('closing', () => {
  it('waits for the last request, and loads nothing more', async () => {
    await settleFirst();
    const first = version(1);
    first.enter();
    volume.add('m', 2, model);
    await show();
    let closed = false;
    const closing = manager.close().then(() => {
      closed = true;
    });
    await fail('m/2', 'shutting-down');
    expect([closed, first.state]).toEqual([false, 'draining']);
    first.leave();
    await closing;
    expect([engine.released, engine.begun]).toEqual([['m/1'], ['m/1', 'm/2']]);
    await clock.advance(1e9);
    await show();
    expect(engine.loading).toEqual([]);
  });

  it('releases what has just loaded', async () => {
    volume.add('m', 1, model);
    await show();
    const closing = manager.close();
    engine.finish('m/1');
    await closing;
    expect(engine.released).toEqual(['m/1']);
  });
});
