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

  it('is loaded again only once the last request of the attempt before has ended', async () => {
    for (const version of [1, 2]) stage().add('m', version, { takes: 10 });
    await stage().show();
    await stage().finish('m/2', 'm/1');
    const bad = stage().version(2, 'm');
    bad.enter();
    stage().engine.unfit('m/2', crash);
    await stage().turn();
    stage().volume.lookAgain('m', 2);
    await stage().show();
    expect([stage().states(), stage().engine.loading]).toEqual([{ 1: 'ready', 2: 'loading' }, []]);
    bad.leave();
    await stage().turn();
    expect([stage().engine.released, stage().engine.loading]).toEqual([['m/2'], ['m/2']]);
    await stage().finish('m/2');
    expect([stage().active(), stage().states()]).toEqual([2, { 1: 'ready', 2: 'ready' }]);
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

describe('a version whose process cannot be started again', () => {
  const lost = new KedgeError('engine-failed', 'm/1 could not be loaded again 3 times.', {
    cause: new KedgeError('engine-timeout', 'It took too long.'),
  });

  it('fails with the reason, though no other answers, and is loaded again after waits that grow', async () => {
    stage().add('m', 1, { takes: 10 });
    await stage().show();
    await stage().finish('m/1');
    const version = stage().version(1);
    version.enter();
    stage().engine.lose('m/1', lost);
    await stage().turn();
    expect([stage().active(), stage().states(), stage().engine.released]).toEqual([undefined, { 1: 'failed' }, []]);
    expect(version.reasons).toEqual([
      { code: 'load-timeout', message: expect.stringMatching(/its process ended: m\/1 could not be loaded again/) },
    ]);
    version.leave();
    await stage().turn();
    expect([stage().engine.released, stage().manager.memory.takenBytes]).toEqual([['m/1'], 0]);
    await stage().clock.advance(1_000);
    // It answered before, so that not even the runtime's refusal is for good.
    await stage().fail('m/1', 'engine-failed');
    expect([stage().states(), stage().clock.waits]).toEqual([{ 1: 'failed' }, [2_000]]);
    await stage().clock.advance(2_000);
    await stage().finish('m/1');
    expect([stage().active(), version.reasons, version.failures]).toEqual([1, [], 0]);
  });

  it('has the one before take its place, until it comes back', async () => {
    stage().remake({ keepReady: 1 });
    for (const version of [1, 2]) stage().add('m', version, { takes: 10 });
    await stage().show();
    await stage().finish('m/2');
    stage().engine.lose('m/2', lost);
    await stage().turn();
    expect([stage().active(), stage().engine.loading]).toEqual([undefined, ['m/1']]);
    await stage().finish('m/1');
    expect([stage().active(), stage().states()]).toEqual([1, { 1: 'ready', 2: 'failed' }]);
    await stage().clock.advance(1_000);
    await stage().finish('m/2');
    expect([stage().active(), stage().states()]).toEqual([2, { 1: 'released', 2: 'ready' }]);
  });
});
