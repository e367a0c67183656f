import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KedgeError } from '../../contract/errors.ts';
import { linearModel } from '../../contract/onnx/testing/models.ts';
import { silentLog } from '../../platform/log.ts';
import { FakeEngine } from '../testing/fake-engine.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { TestVolume } from '../testing/volume.ts';
import { type ManagerOptions, VersionManager } from './manager.ts';
import type { ServedVersion } from './served-version.ts';

/** Memory, lazy models and versions that keep ending their process, over an engine whose every step a test decides. */

const model = linearModel();
const MB = 2 ** 20;

let volume: TestVolume;
let engine: FakeEngine;
let clock: ManualClock;
let manager: VersionManager;

function create(options: Partial<ManagerOptions> = {}): VersionManager {
  return new VersionManager({
    volume: volume.dir,
    engines: { inline: engine, host: engine },
    // In processes of their own, so that the engine says what each takes, and this process does not count.
    engineMode: 'host',
    code: { server: '1.0.0', estimators: [] },
    keepReady: 2,
    loadRetries: 2,
    parallelLoads: 4,
    lazyWaitMs: 5_000,
    firstLoadsMs: 60_000,
    memoryBudgetBytes: 100 * MB,
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

/** Lays down a version that takes so many MiB by its probe. */
function add(name: string, version: number, takes: number, lazy = false): void {
  volume.add(name, version, model, { probe: { memoryBytes: takes * MB } });
  if (lazy) volume.rollout(name, { lazy: true });
}

async function turn(): Promise<void> {
  await new Promise(setImmediate);
  await new Promise(setImmediate);
}

async function show(): Promise<void> {
  manager.update(volume.next());
  await turn();
}

async function finish(...names: string[]): Promise<void> {
  for (const name of names) {
    engine.finish(name);
    await turn();
  }
}

const active = (name = 'm'): number | undefined => manager.model(name)?.active?.version;
const states = (name = 'm'): Record<number, string> =>
  Object.fromEntries((manager.model(name)?.versions ?? []).map(({ version, state }) => [version, state]));
const versionOf = (name: string, number: number): ServedVersion => manager.model(name)!.find(number)!;
const use = (version: ServedVersion): void => {
  version.enter();
  version.leave();
};
/** What a request does: waits if it must, then holds the version for a moment. */
async function ask(name: string): Promise<number> {
  const version = manager.model(name)!.active ?? manager.model(name)!.wakeTarget!;
  await manager.wake(version);
  use(version);
  return version.version;
}

describe('a version that does not fit', () => {
  it('is refused with numbers, beside what answers', async () => {
    add('m', 1, 60);
    await show();
    await finish('m/1');
    add('m', 2, 50);
    await show();
    expect([active(), states(), engine.begun]).toEqual([1, { 1: 'ready', 2: 'refused' }, ['m/1']]);
    const [reason] = versionOf('m', 2).reasons;
    expect(reason).toMatchObject({
      code: 'memory-budget',
      message: expect.stringMatching(/takes 50 MiB.*100 MiB.*40 MiB are free.*KEDGE_MEMORY_BUDGET_MB.*lazy/s),
      expected: `<= ${40 * MB}`,
      found: String(50 * MB),
    });
  });

  it('is taken once there is room for it', async () => {
    add('m', 1, 60);
    add('n', 1, 60);
    await show();
    expect(states('n')).toEqual({ 1: 'discovered' });
    await finish('m/1');
    expect([active('m'), states('n')]).toEqual([1, { 1: 'refused' }]);
    volume.rollout('m', { retired: true });
    await show();
    expect([states('m'), engine.loading]).toEqual([{ 1: 'released' }, ['n/1']]);
    await finish('n/1');
    expect(active('n')).toBe(1);
  });

  it('is looked at again when the loader tells of it anew, and is refused once more', async () => {
    add('m', 1, 101);
    await show();
    const { length } = versionOf('m', 1).history;
    await show();
    expect(versionOf('m', 1).history).toHaveLength(length);
    volume.lookAgain('m', 1);
    await show();
    expect([states(), versionOf('m', 1).history.map(({ state }) => state)]).toEqual([
      { 1: 'refused' },
      ['discovered', 'refused', 'discovered', 'refused'],
    ]);
  });

  it('waits for loads under way, which may take less than was thought', async () => {
    add('a', 1, 80);
    add('b', 1, 60);
    engine.memoryBytes = { 'a/1': 20 * MB };
    await show();
    expect([engine.loading, states('b')]).toEqual([['a/1'], { 1: 'discovered' }]);
    await finish('a/1');
    expect(engine.loading).toEqual(['b/1']);
    await finish('b/1');
    expect([manager.memory.takenBytes, manager.memoryOf(versionOf('a', 1))]).toEqual([80 * MB, 20 * MB]);
  });

  it('takes no room when its load fails', async () => {
    add('m', 1, 80);
    await show();
    engine.fail('m/1', new KedgeError('engine-crashed', 'It crashed.'));
    await turn();
    expect([states(), manager.memory.takenBytes]).toEqual([{ 1: 'failed' }, 0]);
  });
});

describe('room is made', () => {
  it('by old versions, and never by the one that answers', async () => {
    add('m', 1, 40);
    await show();
    await finish('m/1');
    add('m', 2, 40);
    await show();
    await finish('m/2');
    expect([active(), states()]).toEqual([2, { 1: 'ready', 2: 'ready' }]);
    add('m', 3, 40);
    await show();
    expect([active(), states()]).toEqual([2, { 1: 'released', 2: 'ready', 3: 'loading' }]);
    await finish('m/3');
    expect([active(), states()]).toEqual([3, { 1: 'released', 2: 'ready', 3: 'ready' }]);
  });

  it('by old versions of other models, once their requests are answered', async () => {
    for (const version of [1, 2]) add('m', version, 40);
    await show();
    await finish('m/2', 'm/1');
    const old = versionOf('m', 1);
    old.enter();
    add('n', 1, 50);
    await show();
    expect([states('m'), engine.loading]).toEqual([{ 1: 'draining', 2: 'ready' }, []]);
    await show();
    expect(states('m')).toEqual({ 1: 'draining', 2: 'ready' });
    old.leave();
    await turn();
    expect([states('m'), engine.loading]).toEqual([{ 1: 'released', 2: 'ready' }, ['n/1']]);
    await finish('n/1');
    // What was held for a quick way back alone waits until it fits again.
    expect([states('m'), engine.loading, active('n')]).toEqual([{ 1: 'released', 2: 'ready' }, [], 1]);
    volume.rollout('n', { retired: true });
    await show();
    expect(engine.loading).toEqual(['m/1']);
  });

  it('not by versions that the rollout asks for', async () => {
    for (const version of [1, 2]) add('m', version, 40);
    volume.rollout('m', { policy: { latest: 2 } });
    await show();
    await finish('m/2', 'm/1');
    add('n', 1, 50);
    await show();
    expect([states('m'), states('n')]).toEqual([{ 1: 'ready', 2: 'ready' }, { 1: 'refused' }]);
  });
});

describe('a lazy model', () => {
  it('is loaded by its first request; others share the load', async () => {
    add('m', 1, 10, true);
    await show();
    expect([states(), manager.model('m')!.isAble]).toEqual([{ 1: 'discovered' }, true]);
    const asked = Promise.all([ask('m'), ask('m'), ask('m')]);
    await turn();
    expect(engine.loading).toEqual(['m/1']);
    await finish('m/1');
    expect([await asked, active(), engine.begun]).toEqual([[1, 1, 1], 1, ['m/1']]);
    expect(await ask('m')).toBe(1);
  });

  it('has its requests wait no longer than they may; the load goes on', async () => {
    add('m', 1, 10, true);
    await show();
    const asked = expect(ask('m')).rejects.toMatchObject({
      code: 'model-not-ready',
      message: expect.stringMatching(/m version 1 is still to be loaded/),
    });
    const hurried = expect(manager.wake(versionOf('m', 1), 20)).rejects.toMatchObject({ code: 'model-not-ready' });
    await turn();
    await clock.advance(20);
    await hurried;
    await clock.advance(4_980);
    await asked;
    await finish('m/1');
    expect(active()).toBe(1);
  });

  it('tells its requests why it does not come', async () => {
    add('m', 1, 10, true);
    await show();
    const asked = expect(ask('m')).rejects.toMatchObject({
      code: 'model-not-ready',
      message: expect.stringMatching(/failed \(process-crashed: .*It crashed/),
    });
    await turn();
    engine.fail('m/1', new KedgeError('engine-crashed', 'It crashed.'));
    await asked;
    await turn();
    expect(manager.model('m')!.isAble).toBe(false);
    await clock.advance(1_000);
    expect([manager.model('m')!.isAble, engine.loading]).toEqual([true, []]);
    const again = ask('m');
    await turn();
    await finish('m/1');
    expect(await again).toBe(1);
  });

  it('gives way to another when memory is short, the one not used for longest first', async () => {
    for (const name of ['a', 'b', 'c']) add(name, 1, 40, true);
    await show();
    for (const name of ['a', 'b']) {
      const asked = ask(name);
      await turn();
      await finish(`${name}/1`);
      await asked;
      await clock.advance(1);
    }
    await ask('a');
    const asked = ask('c');
    await turn();
    expect([active('a'), active('b'), engine.loading]).toEqual([1, undefined, ['c/1']]);
    expect([states('b'), manager.model('b')!.isAble]).toEqual([{ 1: 'released' }, true]);
    await finish('c/1');
    expect(await asked).toBe(1);
    // It comes back when it is asked for, and then another goes.
    await clock.advance(1);
    const back = ask('b');
    await turn();
    expect([active('a'), engine.loading]).toEqual([undefined, ['b/1']]);
    await finish('b/1');
    expect(await back).toBe(1);
  });

  it('is kept while a request holds it, and a model that is not lazy always', async () => {
    add('a', 1, 40, true);
    add('b', 1, 40);
    add('c', 1, 40, true);
    await show();
    const first = ask('a');
    await turn();
    await finish('b/1', 'a/1');
    await first;
    versionOf('a', 1).enter();
    await expect(ask('c')).rejects.toMatchObject({ message: expect.stringMatching(/refused \(memory-budget: /) });
    expect([active('a'), active('b'), states('c')]).toEqual([1, 1, { 1: 'refused' }]);
    // There is room again as soon as nobody holds it; the next look at the catalog finds out.
    versionOf('a', 1).leave();
    await show();
    const asked = ask('c');
    await turn();
    await finish('c/1');
    expect([await asked, active('a'), active('b')]).toEqual([1, undefined, 1]);
  });

  it('rolls forward while it is in use, and wakes with its newest version', async () => {
    add('m', 1, 10, true);
    await show();
    const asked = ask('m');
    await turn();
    await finish('m/1');
    await asked;
    add('m', 2, 10, true);
    await show();
    expect([active(), engine.loading]).toEqual([1, ['m/2']]);
    await finish('m/2');
    expect([active(), states()]).toEqual([2, { 1: 'ready', 2: 'ready' }]);
    add('n', 1, 95);
    await show();
    // The older version goes first, so that it never answers in the place of the newer one.
    expect([active(), states(), engine.released]).toEqual([
      undefined,
      { 1: 'released', 2: 'released' },
      ['m/1', 'm/2'],
    ]);
    await finish('n/1');
    expect(manager.model('m')!.wakeTarget!.version).toBe(2);
  });

  it('ends its waits when the server closes', async () => {
    add('m', 1, 10, true);
    await show();
    const asked = expect(ask('m')).rejects.toMatchObject({ code: 'model-not-ready' });
    await turn();
    const closing = manager.close();
    engine.fail('m/1', new KedgeError('shutting-down', 'It was closed.'));
    await asked;
    await closing;
  });
});

describe('a version that keeps ending its process', () => {
  const crash = new KedgeError('engine-crashed', 'The process was killed by SIGSEGV.');

  it('fails with the reason, and the version before answers at once', async () => {
    for (const version of [1, 2]) add('m', version, 10);
    await show();
    await finish('m/2', 'm/1');
    const bad = versionOf('m', 2);
    bad.enter();
    engine.unfit('m/2', crash);
    await turn();
    expect([active(), states(), engine.released]).toEqual([1, { 1: 'ready', 2: 'failed' }, []]);
    expect(bad.reasons).toMatchObject([{ code: 'process-crashed', message: expect.stringMatching(/SIGSEGV/) }]);
    bad.leave();
    await turn();
    expect([engine.released, manager.memory.takenBytes]).toEqual([['m/2'], 10 * MB]);
    // It does not come back by itself, and does once the loader has looked again.
    await clock.advance(1e9);
    await show();
    expect([states(), engine.loading]).toEqual([{ 1: 'ready', 2: 'failed' }, []]);
    volume.lookAgain('m', 2);
    await show();
    await finish('m/2');
    expect([active(), bad.unfit]).toEqual([2, undefined]);
  });

  it('stays where there is no other, until there is one', async () => {
    add('m', 2, 10);
    await show();
    await finish('m/2');
    engine.unfit('m/2', crash);
    await turn();
    expect([active(), states()]).toEqual([2, { 2: 'ready' }]);
    add('m', 1, 10);
    await show();
    await finish('m/1');
    expect([active(), states()]).toEqual([1, { 1: 'ready', 2: 'failed' }]);
  });

  it('has the one before loaded, where that is not held ready', async () => {
    manager = create({ keepReady: 1 });
    for (const version of [1, 2]) add('m', version, 10);
    await show();
    await finish('m/2');
    expect([active(), states()]).toEqual([2, { 1: 'discovered', 2: 'ready' }]);
    engine.unfit('m/2', crash);
    await turn();
    expect([active(), engine.loading]).toEqual([2, ['m/1']]);
    await finish('m/1');
    expect([active(), states()]).toEqual([1, { 1: 'ready', 2: 'failed' }]);
  });
});
