import { beforeEach, describe, expect, it } from 'vitest';
import { KedgeError } from '../../contract/errors.ts';
import { linearModel } from '../../contract/onnx/testing/models.ts';
import type { Tensors } from '../../contract/tensor.ts';
import { useStage } from '../testing/stage.ts';

const model = linearModel();
const stage = useStage();

describe('rolling forward', () => {
  it('loads, warms up, swaps, and keeps the version before', async () => {
    await stage().settleFirst();
    expect(stage().active()).toBe(1);
    stage().add('m', 2);
    await stage().show();
    expect([stage().active(), stage().states()]).toEqual([1, { 1: 'ready', 2: 'loading' }]);
    const warm = Promise.withResolvers<Tensors>();
    stage().engine.run = () => warm.promise;
    await stage().finish('m/2');
    expect([stage().active(), stage().states()]).toEqual([1, { 1: 'ready', 2: 'warming' }]);
    warm.resolve(new Map());
    await stage().turn();
    expect([stage().active(), stage().states()]).toEqual([2, { 1: 'ready', 2: 'ready' }]);
    expect(
      stage()
        .version(2)
        .history.map(({ state }) => state),
    ).toEqual(['discovered', 'loading', 'warming', 'ready']);
  });

  it('releases what is beyond the kept ones after its last request', async () => {
    await stage().settleFirst();
    const first = stage().version(1);
    first.enter();
    first.enter();
    stage().add('m', 2);
    stage().add('m', 3);
    await stage().show();
    await stage().finish('m/3');
    expect([stage().active(), stage().states()]).toEqual([3, { 1: 'ready', 2: 'loading', 3: 'ready' }]);
    await stage().finish('m/2');
    expect([stage().active(), stage().states()]).toEqual([3, { 1: 'draining', 2: 'ready', 3: 'ready' }]);
    expect(() => first.enter()).toThrow(/draining/);
    first.leave();
    expect([first.state, stage().engine.released]).toEqual(['draining', []]);
    first.leave();
    await stage().turn();
    expect([first.state, stage().engine.released]).toEqual(['released', ['m/1']]);
  });

  it('takes a draining version back when it is wanted again', async () => {
    await stage().settleFirst();
    const first = stage().version(1);
    first.enter();
    stage().add('m', 2);
    stage().add('m', 3);
    await stage().show();
    await stage().finish('m/2');
    await stage().finish('m/3');
    expect(first.state).toBe('draining');
    stage().volume.rollout('m', { pin: 1 });
    await stage().show();
    expect([stage().active(), stage().states()]).toEqual([1, { 1: 'ready', 2: 'released', 3: 'ready' }]);
    first.leave();
    expect([first.state, stage().engine.begun]).toEqual(['ready', ['m/1', 'm/3', 'm/2']]);
  });

  it('loads the newest first, no more at a time than told', async () => {
    stage().remake({ parallelLoads: 1, keepReady: 3 });
    for (const number of [1, 2, 3]) stage().add('m', number);
    stage().add('n', 7);
    await stage().show();
    expect(stage().engine.loading).toEqual(['m/3']);
    await stage().finish('m/3');
    expect(stage().engine.loading).toEqual(['n/7']);
    await stage().finish('n/7');
    expect(stage().engine.loading).toEqual(['m/2']);
    await stage().finish('m/2');
    await stage().finish('m/1');
    expect(stage().states()).toEqual({ 1: 'ready', 2: 'ready', 3: 'ready' });
  });

  it('a release that fails ends nothing', async () => {
    await stage().settleFirst();
    stage().engine.releaseError = new Error('it hangs on');
    const loaded = stage().version(1);
    stage().volume.rollout('m', { retired: true });
    await stage().show();
    await loaded.drained();
    expect([stage().active(), loaded.state, stage().engine.released]).toEqual([undefined, 'released', ['m/1']]);
  });
});

describe('a candidate that is bad leaves the active version alone', () => {
  beforeEach(() => stage().settleFirst());

  it.each<[KedgeError['code'], string, string]>([
    ['engine-failed', 'refused', 'load-failed'],
    ['object-corrupt', 'failed', 'digest-mismatch'],
    ['engine-timeout', 'failed', 'load-timeout'],
    ['engine-crashed', 'failed', 'process-crashed'],
    ['engine-memory', 'failed', 'memory-limit'],
    ['internal', 'failed', 'fetch-failed'],
  ])('its load ends with %s: %s, %s', async (error, state, code) => {
    stage().add('m', 2);
    await stage().show();
    await stage().fail('m/2', error);
    expect([
      stage().active(),
      stage().version(2).state,
      stage()
        .version(2)
        .reasons.map((reason) => reason.code),
    ]).toEqual([1, state, [code]]);
  });

  it.each<[KedgeError['code'], string, string]>([
    ['engine-failed', 'refused', 'run-failed'],
    ['engine-timeout', 'failed', 'run-timeout'],
    ['engine-crashed', 'failed', 'process-crashed'],
  ])('its sample ends with %s: %s, %s', async (error, state, code) => {
    stage().engine.run = (name) =>
      name === 'm/2' ? Promise.reject(new KedgeError(error, 'It failed.')) : Promise.resolve(new Map());
    stage().volume.add('m', 2, model, { details: { samples: [sample(9)] } });
    await stage().show();
    await stage().finish('m/2');
    expect([
      stage().active(),
      stage().version(2).state,
      stage()
        .version(2)
        .reasons.map((reason) => reason.code),
    ]).toEqual([1, state, [code]]);
    expect(stage().engine.released).toEqual(['m/2']);
  });

  it('its sample comes out wrong', async () => {
    stage().engine.run = () =>
      Promise.resolve(new Map([['y', { datatype: 'FP32', shape: [1, 1], data: new Float32Array([9.5]) }]]));
    stage().volume.add('m', 2, model, { details: { samples: [sample(9)] } });
    await stage().show();
    await stage().finish('m/2');
    expect([stage().active(), stage().states(), stage().engine.released]).toEqual([
      1,
      { 1: 'ready', 2: 'refused' },
      ['m/2'],
    ]);
    expect(stage().version(2).reasons).toMatchObject([
      { code: 'samples-mismatch', message: expect.stringMatching(/Sample 0 .*9\.5.*9/) },
    ]);
  });

  it('its made-up input is refused, which says nothing', async () => {
    stage().engine.run = () => Promise.reject(new KedgeError('engine-failed', 'No.'));
    stage().add('m', 2);
    await stage().show();
    await stage().finish('m/2');
    expect(stage().active()).toBe(2);
  });

  it('its code is not here', async () => {
    const code = { estimator: 'demo', version: '2.0.0', features: `sha256:${'2'.repeat(64)}` };
    stage().volume.add('m', 2, model, { details: { code, requires: { estimator: '^2.0.0', server: '>=9' } } });
    await stage().show();
    expect([stage().active(), stage().states(), stage().engine.begun]).toEqual([
      1,
      { 1: 'ready', 2: 'refused' },
      ['m/1'],
    ]);
    expect(
      stage()
        .version(2)
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
    stage().add('m', 1);
    await stage().show();
    for (const wait of [1_000, 2_000, 4_000]) {
      await stage().fail('m/1', 'engine-crashed');
      expect([stage().states(), stage().clock.waits]).toEqual([{ 1: 'failed' }, [wait]]);
      await stage().clock.advance(wait - 1);
      expect(stage().engine.loading).toEqual([]);
      await stage().clock.advance(1);
      expect(stage().engine.loading).toEqual(['m/1']);
    }
    await stage().finish('m/1');
    expect([stage().active(), stage().version(1).failures, stage().clock.waits]).toEqual([1, 0, []]);
  });

  it('is given up beside a version that answers, until the loader looks again', async () => {
    await stage().settleFirst();
    stage().add('m', 2);
    await stage().show();
    for (const wait of [1_000, 2_000, 0]) {
      await stage().fail('m/2', 'engine-crashed');
      await stage().clock.advance(wait);
    }
    await stage().clock.advance(1e9);
    expect([stage().states(), stage().engine.loading]).toEqual([{ 1: 'ready', 2: 'failed' }, []]);
    await stage().show();
    expect(stage().engine.loading).toEqual([]);
    stage().volume.lookAgain('m', 2);
    await stage().show();
    expect(stage().engine.loading).toEqual(['m/2']);
  });

  it('lets the version before answer meanwhile', async () => {
    stage().remake({ keepReady: 1 });
    stage().add('m', 1);
    stage().add('m', 2);
    await stage().show();
    expect(stage().engine.loading).toEqual(['m/2']);
    await stage().fail('m/2', 'engine-crashed');
    await stage().finish('m/1');
    expect(stage().active()).toBe(1);
    await stage().clock.advance(1_000);
    await stage().finish('m/2');
    expect([stage().active(), stage().states()]).toEqual([2, { 1: 'released', 2: 'ready' }]);
  });
});

describe('closing', () => {
  it('waits for the last request, and loads nothing more', async () => {
    await stage().settleFirst();
    const first = stage().version(1);
    first.enter();
    stage().add('m', 2);
    await stage().show();
    let closed = false;
    const closing = stage()
      .manager.close()
      .then(() => {
        closed = true;
      });
    await stage().fail('m/2', 'shutting-down');
    expect([closed, first.state]).toEqual([false, 'draining']);
    first.leave();
    await closing;
    expect([stage().engine.released, stage().engine.begun]).toEqual([['m/1'], ['m/1', 'm/2']]);
    await stage().clock.advance(1e9);
    await stage().show();
    expect(stage().engine.loading).toEqual([]);
  });

  it('releases what has just loaded', async () => {
    stage().add('m', 1);
    await stage().show();
    const closing = stage().manager.close();
    stage().engine.finish('m/1');
    await closing;
    expect(stage().engine.released).toEqual(['m/1']);
  });
});
