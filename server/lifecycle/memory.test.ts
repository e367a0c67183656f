import { describe, expect, it } from 'vitest';
import { KedgeError } from '../../contract/errors.ts';
import { MB, useStage } from '../testing/stage.ts';

// In processes of their own, so that the engine says what each takes, and this process does not count.
const stage = useStage({ engineMode: 'host', memoryBudgetBytes: 100 * MB });

describe('a version that does not fit', () => {
  it('is refused with numbers, beside what answers', async () => {
    stage().add('m', 1, { takes: 60 });
    await stage().show();
    await stage().finish('m/1');
    stage().add('m', 2, { takes: 50 });
    await stage().show();
    expect([stage().active(), stage().states(), stage().engine.begun]).toEqual([
      1,
      { 1: 'ready', 2: 'refused' },
      ['m/1'],
    ]);
    const [reason] = stage().version(2, 'm').reasons;
    expect(reason).toMatchObject({
      code: 'memory-budget',
      message: expect.stringMatching(/takes 50 MiB.*100 MiB.*40 MiB are free.*KEDGE_MEMORY_BUDGET_MB.*lazy/s),
      expected: `<= ${40 * MB}`,
      found: String(50 * MB),
    });
  });

  it('is taken once there is room for it', async () => {
    stage().add('m', 1, { takes: 60 });
    stage().add('n', 1, { takes: 60 });
    await stage().show();
    expect(stage().states('n')).toEqual({ 1: 'discovered' });
    await stage().finish('m/1');
    expect([stage().active('m'), stage().states('n')]).toEqual([1, { 1: 'refused' }]);
    stage().volume.rollout('m', { retired: true });
    await stage().show();
    expect([stage().states('m'), stage().engine.loading]).toEqual([{ 1: 'released' }, ['n/1']]);
    await stage().finish('n/1');
    expect(stage().active('n')).toBe(1);
  });

  it('is looked at again when the loader tells of it anew, and is refused once more', async () => {
    stage().add('m', 1, { takes: 101 });
    await stage().show();
    const { length } = stage().version(1, 'm').history;
    await stage().show();
    expect(stage().version(1, 'm').history).toHaveLength(length);
    stage().volume.lookAgain('m', 1);
    await stage().show();
    expect([
      stage().states(),
      stage()
        .version(1, 'm')
        .history.map(({ state }) => state),
    ]).toEqual([{ 1: 'refused' }, ['discovered', 'refused', 'discovered', 'refused']]);
  });

  it('waits for loads under way, which may take less than was thought', async () => {
    stage().add('a', 1, { takes: 60 });
    stage().add('b', 1, { takes: 55 });
    stage().engine.memoryBytes = { 'a/1': 20 * MB };
    await stage().show();
    expect([stage().engine.loading, stage().states('b')]).toEqual([['a/1'], { 1: 'discovered' }]);
    await stage().finish('a/1');
    expect(stage().engine.loading).toEqual(['b/1']);
    await stage().finish('b/1');
    expect([stage().manager.memory.takenBytes, stage().manager.memoryOf(stage().version(1, 'a'))]).toEqual([
      75 * MB,
      20 * MB,
    ]);
  });

  it('takes no room when its load fails', async () => {
    stage().add('m', 1, { takes: 60 });
    await stage().show();
    stage().engine.fail('m/1', new KedgeError('engine-crashed', 'It crashed.'));
    await stage().turn();
    expect([stage().states(), stage().manager.memory.takenBytes]).toEqual([{ 1: 'failed' }, 0]);
  });
});

describe('room is made', () => {
  it('by old versions, and never by the one that answers', async () => {
    stage().add('m', 1, { takes: 40 });
    await stage().show();
    await stage().finish('m/1');
    stage().add('m', 2, { takes: 40 });
    await stage().show();
    await stage().finish('m/2');
    expect([stage().active(), stage().states()]).toEqual([2, { 1: 'ready', 2: 'ready' }]);
    stage().add('m', 3, { takes: 40 });
    await stage().show();
    expect([stage().active(), stage().states()]).toEqual([2, { 1: 'released', 2: 'ready', 3: 'loading' }]);
    await stage().finish('m/3');
    expect([stage().active(), stage().states()]).toEqual([3, { 1: 'released', 2: 'ready', 3: 'ready' }]);
  });

  it('by old versions of other models, once their requests are answered', async () => {
    for (const version of [1, 2]) stage().add('m', version, { takes: 40 });
    await stage().show();
    await stage().finish('m/2', 'm/1');
    const old = stage().version(1, 'm');
    old.enter();
    stage().add('n', 1, { takes: 50 });
    await stage().show();
    expect([stage().states('m'), stage().engine.loading]).toEqual([{ 1: 'draining', 2: 'ready' }, []]);
    await stage().show();
    expect(stage().states('m')).toEqual({ 1: 'draining', 2: 'ready' });
    old.leave();
    await stage().turn();
    expect([stage().states('m'), stage().engine.loading]).toEqual([{ 1: 'released', 2: 'ready' }, ['n/1']]);
    await stage().finish('n/1');
    // What was held for a quick way back alone waits until it fits again.
    expect([stage().states('m'), stage().engine.loading, stage().active('n')]).toEqual([
      { 1: 'released', 2: 'ready' },
      [],
      1,
    ]);
    stage().volume.rollout('n', { retired: true });
    await stage().show();
    expect(stage().engine.loading).toEqual(['m/1']);
  });

  it('not by versions that the rollout asks for', async () => {
    for (const version of [1, 2]) stage().add('m', version, { takes: 40 });
    stage().volume.rollout('m', { policy: { latest: 2 } });
    await stage().show();
    await stage().finish('m/2', 'm/1');
    stage().add('n', 1, { takes: 50 });
    await stage().show();
    expect([stage().states('m'), stage().states('n')]).toEqual([{ 1: 'ready', 2: 'ready' }, { 1: 'refused' }]);
  });
});
