import { beforeEach, describe, expect, it } from 'vitest';
import { linearModel } from '../../contract/onnx/testing/models.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { useStage } from '../testing/stage.ts';
import { FirstLoads } from './first-loads.ts';

const model = linearModel();
const stage = useStage();
let clock: ManualClock;
let first: FirstLoads;
beforeEach(() => {
  clock = new ManualClock();
  first = new FirstLoads(clock, 1_000);
});

describe('the latch of the first readiness', () => {
  it('opens when each model came through', () => {
    first.begin(['a', 'b']);
    first.through('a');
    expect(first.waiting).toEqual(['b']);
    first.through('b');
    expect(first.waiting).toEqual([]);
  });

  it('opens when its time is over', async () => {
    first.begin(['a']);
    await clock.advance(999);
    expect([first.waiting, first.isWaitingFor('a')]).toEqual([['a'], true]);
    await clock.advance(1);
    expect([first.waiting, first.isWaitingFor('a')]).toEqual([[], false]);
  });

  it('is not closed again by what comes later', () => {
    first.begin(['a']);
    first.begin(['a', 'b']);
    first.through('a');
    first.begin(['c']);
    expect(first.waiting).toEqual([]);
  });

  it('waits for the first catalog that has anything, and counts its time from there', async () => {
    first.begin([]);
    await clock.advance(5_000);
    first.begin(['a']);
    expect(first.waiting).toEqual(['a']);
  });
});

describe('the first readiness waits', () => {
  const waiting = (): readonly string[] => stage().manager.firstLoads;

  it('for each model of the first catalog, whether it answers, is refused or fails', async () => {
    for (const name of ['a', 'b', 'c']) stage().add(name, 1);
    stage().volume.add('other', 1, model, { details: { requires: { server: '>=9' } } });
    stage().volume.refuse('gone', 1, [{ code: 'opset', message: 'No.' }]);
    await stage().show();
    expect(waiting()).toEqual(['a', 'b', 'c']);
    await stage().finish('a/1');
    await stage().fail('b/1', 'engine-failed');
    expect(waiting()).toEqual(['c']);
    await stage().fail('c/1', 'engine-crashed');
    expect(waiting()).toEqual([]);
  });

  it('for the version before, where the newest one fails', async () => {
    stage().remake({ keepReady: 1 });
    stage().add('m', 1);
    stage().add('m', 2);
    await stage().show();
    await stage().fail('m/2', 'engine-crashed');
    expect(waiting()).toEqual(['m']);
    await stage().finish('m/1');
    expect(waiting()).toEqual([]);
  });

  it('for no lazy model and no spare version', async () => {
    stage().add('lazy', 1);
    stage().volume.rollout('lazy', { lazy: true });
    stage().add('m', 1);
    stage().add('m', 2);
    await stage().show();
    expect(waiting()).toEqual(['m']);
    await stage().finish('m/2');
    expect([waiting(), stage().engine.loading]).toEqual([[], ['m/1']]);
  });

  it('for nothing that comes later', async () => {
    await stage().settleFirst();
    stage().add('m', 2);
    stage().add('n', 1);
    await stage().show();
    expect([stage().engine.loading, waiting()]).toEqual([['n/1', 'm/2'], []]);
  });

  it('no longer than it may', async () => {
    stage().add('m', 1);
    await stage().show();
    await stage().clock.advance(60_000);
    expect([stage().engine.loading, waiting()]).toEqual([['m/1'], []]);
  });
});
