import { describe, expect, it } from 'vitest';
import { KedgeError } from '../../contract/errors.ts';
import { MB, useStage } from '../testing/stage.ts';

const stage = useStage({ engineMode: 'host', memoryBudgetBytes: 100 * MB });

describe('a version that keeps ending its process', () => {
  const crash = new KedgeError('engine-crashed', 'The process was killed by SIGSEGV.');

  it('fails with the reason, and the version before answers at once', async () => {
    for (const version of [1, 2]) stage().add('m', version, { takes: 10 });
    await stage().show();
    await stage().finish('m/2', 'm/1');
    const bad = stage().version(2, 'm');
    bad.enter();
    stage().engine.unfit('m/2', crash);
    await stage().turn();
    expect([stage().active(), stage().states(), stage().engine.released]).toEqual([1, { 1: 'ready', 2: 'failed' }, []]);
    expect(bad.reasons).toMatchObject([{ code: 'process-crashed', message: expect.stringMatching(/SIGSEGV/) }]);
    bad.leave();
    await stage().turn();
    expect([stage().engine.released, stage().manager.memory.takenBytes]).toEqual([['m/2'], 10 * MB]);
    // It does not come back by itself, and does once the loader has looked again.
    await stage().clock.advance(1e9);
    await stage().show();
    expect([stage().states(), stage().engine.loading]).toEqual([{ 1: 'ready', 2: 'failed' }, []]);
    stage().volume.lookAgain('m', 2);
    await stage().show();
    await stage().finish('m/2');
    expect([stage().active(), bad.unfit]).toEqual([2, undefined]);
  });

  it('stays where there is no other, until there is one', async () => {
    stage().add('m', 2, { takes: 10 });
    await stage().show();
    await stage().finish('m/2');
    stage().engine.unfit('m/2', crash);
    await stage().turn();
    expect([stage().active(), stage().states()]).toEqual([2, { 2: 'ready' }]);
    stage().add('m', 1, { takes: 10 });
    await stage().show();
    await stage().finish('m/1');
    expect([stage().active(), stage().states()]).toEqual([1, { 1: 'ready', 2: 'failed' }]);
  });

  it('has the one before loaded, where that is not held ready', async () => {
    stage().remake({ keepReady: 1 });
    for (const version of [1, 2]) stage().add('m', version, { takes: 10 });
    await stage().show();
    await stage().finish('m/2');
    expect([stage().active(), stage().states()]).toEqual([2, { 1: 'discovered', 2: 'ready' }]);
    stage().engine.unfit('m/2', crash);
    await stage().turn();
    expect([stage().active(), stage().engine.loading]).toEqual([2, ['m/1']]);
    await stage().finish('m/1');
    expect([stage().active(), stage().states()]).toEqual([1, { 1: 'ready', 2: 'failed' }]);
  });
});
