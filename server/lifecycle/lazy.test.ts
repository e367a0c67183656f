import { describe, expect, it } from 'vitest';
import { KedgeError } from '../../contract/errors.ts';
import { MB, useStage } from '../testing/stage.ts';

// In processes of their own, so that the engine says what each takes, and this process does not count.
const stage = useStage({ engineMode: 'host', memoryBudgetBytes: 100 * MB });

describe('a lazy model', () => {
  it('is loaded by its first request; others share the load', async () => {
    stage().add('m', 1, { takes: 10, lazy: true });
    await stage().show();
    expect([stage().states(), stage().manager.model('m')!.isAble]).toEqual([{ 1: 'discovered' }, true]);
    const asked = Promise.all([stage().ask('m'), stage().ask('m'), stage().ask('m')]);
    await stage().turn();
    expect(stage().engine.loading).toEqual(['m/1']);
    await stage().finish('m/1');
    expect([await asked, stage().active(), stage().engine.begun]).toEqual([[1, 1, 1], 1, ['m/1']]);
    expect(await stage().ask('m')).toBe(1);
  });

  it('has its requests wait no longer than they may; the load goes on', async () => {
    stage().add('m', 1, { takes: 10, lazy: true });
    await stage().show();
    const asked = expect(stage().ask('m')).rejects.toMatchObject({
      code: 'model-not-ready',
      message: expect.stringMatching(/m version 1 is still to be loaded/),
    });
    const hurried = expect(stage().manager.wake(stage().version(1, 'm'), 20)).rejects.toMatchObject({
      code: 'model-not-ready',
    });
    await stage().turn();
    await stage().clock.advance(20);
    await hurried;
    await stage().clock.advance(4_980);
    await asked;
    await stage().finish('m/1');
    expect(stage().active()).toBe(1);
  });

  it('tells its requests why it does not come', async () => {
    stage().add('m', 1, { takes: 10, lazy: true });
    await stage().show();
    const asked = expect(stage().ask('m')).rejects.toMatchObject({
      code: 'model-not-ready',
      message: expect.stringMatching(/failed \(process-crashed: .*It crashed/),
    });
    await stage().turn();
    stage().engine.fail('m/1', new KedgeError('engine-crashed', 'It crashed.'));
    await asked;
    await stage().turn();
    expect(stage().manager.model('m')!.isAble).toBe(false);
    await stage().clock.advance(1_000);
    expect([stage().manager.model('m')!.isAble, stage().engine.loading]).toEqual([true, []]);
    const again = stage().ask('m');
    await stage().turn();
    await stage().finish('m/1');
    expect(await again).toBe(1);
  });

  it('gives way to another when memory is short, the one not used for longest first', async () => {
    for (const name of ['a', 'b', 'c']) stage().add(name, 1, { takes: 40, lazy: true });
    await stage().show();
    for (const name of ['a', 'b']) {
      const asked = stage().ask(name);
      await stage().turn();
      await stage().finish(`${name}/1`);
      await asked;
      await stage().clock.advance(1);
    }
    await stage().ask('a');
    const asked = stage().ask('c');
    await stage().turn();
    expect([stage().active('a'), stage().active('b'), stage().engine.loading]).toEqual([1, undefined, ['c/1']]);
    expect([stage().states('b'), stage().manager.model('b')!.isAble]).toEqual([{ 1: 'released' }, true]);
    await stage().finish('c/1');
    expect(await asked).toBe(1);
    // It comes back when it is asked for, and then another goes.
    await stage().clock.advance(1);
    const back = stage().ask('b');
    await stage().turn();
    expect([stage().active('a'), stage().engine.loading]).toEqual([undefined, ['b/1']]);
    await stage().finish('b/1');
    expect(await back).toBe(1);
  });

  it('is kept while a request holds it, and a model that is not lazy always', async () => {
    stage().add('a', 1, { takes: 40, lazy: true });
    stage().add('b', 1, { takes: 40 });
    stage().add('c', 1, { takes: 40, lazy: true });
    await stage().show();
    const first = stage().ask('a');
    await stage().turn();
    await stage().finish('b/1', 'a/1');
    await first;
    stage().version(1, 'a').enter();
    const asked = expect(stage().ask('c')).rejects.toMatchObject({
      code: 'model-not-ready',
      message: expect.stringMatching(/c version 1 waits for memory that lazy models in use hold; try again/),
    });
    await stage().turn();
    await stage().clock.advance(5_000);
    await asked;
    // It is as it was, and whoever asks for it next waits in turn.
    expect([stage().active('a'), stage().active('b'), stage().states('c')]).toEqual([1, 1, { 1: 'discovered' }]);
    expect(stage().manager.model('c')!.isAble).toBe(true);
  });

  it('waits while those are in use that it needs the room of, and comes once nobody holds them', async () => {
    for (const name of ['a', 'b']) stage().add(name, 1, { takes: 60, lazy: true });
    await stage().show();
    const first = stage().ask('a');
    await stage().turn();
    await stage().finish('a/1');
    await first;
    for (let holder = 0; holder < 2; holder += 1) stage().version(1, 'a').enter();
    const asked = stage().ask('b');
    await stage().turn();
    stage().version(1, 'a').leave();
    await stage().turn();
    expect([stage().states('a'), stage().states('b')]).toEqual([{ 1: 'ready' }, { 1: 'discovered' }]);
    stage().version(1, 'a').leave();
    await stage().turn();
    expect([stage().states('a'), stage().engine.loading]).toEqual([{ 1: 'released' }, ['b/1']]);
    await stage().finish('b/1');
    expect(await asked).toBe(1);
  });

  it('that is told to load says at once that there is no room yet; others that fit are not held up', async () => {
    for (const name of ['a', 'm']) stage().add(name, 1, { takes: 60, lazy: true });
    await stage().show();
    const first = stage().ask('a');
    await stage().turn();
    await stage().finish('a/1');
    await first;
    stage().version(1, 'a').enter();
    const asked = stage().ask('m');
    await stage().turn();
    await stage().manager.reload('m');
    expect(stage().states()).toEqual({ 1: 'discovered' });
    stage().add('n', 1, { takes: 20 });
    await stage().show();
    await stage().finish('n/1');
    expect(stage().active('n')).toBe(1);
    stage().version(1, 'a').leave();
    await stage().turn();
    await stage().finish('m/1');
    expect(await asked).toBe(1);
  });

  it('has a version of another model wait that needs its room, and not be refused', async () => {
    stage().add('a', 1, { takes: 60, lazy: true });
    await stage().show();
    const first = stage().ask('a');
    await stage().turn();
    await stage().finish('a/1');
    await first;
    stage().version(1, 'a').enter();
    stage().add('n', 1, { takes: 60 });
    await stage().show();
    expect(stage().states('n')).toEqual({ 1: 'discovered' });
    stage().version(1, 'a').leave();
    await stage().turn();
    expect([stage().states('a'), stage().engine.loading]).toEqual([{ 1: 'released' }, ['n/1']]);
  });

  it('rolls forward while it is in use, and wakes with its newest version', async () => {
    // Room for the large one, with the process that it has alone, but not for either of the others beside it.
    stage().remake({ memoryBudgetBytes: 165 * MB });
    stage().add('m', 1, { takes: 10, lazy: true });
    await stage().show();
    const asked = stage().ask('m');
    await stage().turn();
    await stage().finish('m/1');
    await asked;
    stage().add('m', 2, { takes: 10, lazy: true });
    await stage().show();
    expect([stage().active(), stage().engine.loading]).toEqual([1, ['m/2']]);
    await stage().finish('m/2');
    expect([stage().active(), stage().states()]).toEqual([2, { 1: 'ready', 2: 'ready' }]);
    stage().add('n', 1, { takes: 95 });
    await stage().show();
    // The older version goes first, so that it never answers in the place of the newer one.
    expect([stage().active(), stage().states(), stage().engine.released]).toEqual([
      undefined,
      { 1: 'released', 2: 'released' },
      ['m/1', 'm/2'],
    ]);
    await stage().finish('n/1');
    expect(stage().manager.model('m')!.wakeTarget!.version).toBe(2);
  });

  it('ends its waits when the server closes', async () => {
    stage().add('m', 1, { takes: 10, lazy: true });
    await stage().show();
    const asked = expect(stage().ask('m')).rejects.toMatchObject({ code: 'model-not-ready' });
    await stage().turn();
    const closing = stage().manager.close();
    stage().engine.fail('m/1', new KedgeError('shutting-down', 'It was closed.'));
    await asked;
    await closing;
  });
});

describe('a lazy model that is told to load', () => {
  /** Whether the call has ended. */
  function load(): { ended: boolean } {
    const call = { ended: false };
    void stage()
      .manager.reload('m')
      .then(() => {
        call.ended = true;
      });
    return call;
  }

  it('is loaded, and the call ends when it answers, however long that takes', async () => {
    stage().add('m', 1, { takes: 10, lazy: true });
    await stage().show();
    const call = load();
    await stage().turn();
    expect([stage().engine.loading, call.ended]).toEqual([['m/1'], false]);
    await stage().clock.advance(1e6);
    expect(call.ended).toBe(false);
    await stage().finish('m/1');
    expect([call.ended, stage().active(), stage().version(1).isCold]).toEqual([true, 1, true]);
    const again = load();
    await stage().turn();
    expect([again.ended, stage().engine.begun]).toEqual([true, ['m/1']]);
  });

  it('has the call end when it fails, is refused, or the server closes', async () => {
    stage().add('m', 1, { takes: 10, lazy: true });
    await stage().show();
    let call = load();
    await stage().turn();
    await stage().fail('m/1', 'engine-crashed');
    expect([call.ended, stage().states(), stage().version(1).demanded]).toEqual([true, { 1: 'failed' }, false]);
    call = load();
    await stage().turn();
    await stage().fail('m/1', 'engine-failed');
    expect([call.ended, stage().states()]).toEqual([true, { 1: 'refused' }]);
    call = load();
    await stage().turn();
    expect([call.ended, stage().engine.loading]).toEqual([false, ['m/1']]);
    const closing = stage().manager.close();
    await stage().turn();
    expect(call.ended).toBe(true);
    await stage().fail('m/1', 'shutting-down');
    await closing;
  });
});
