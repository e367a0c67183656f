import { rm } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { KedgeError } from '../contract/errors.ts';
import { endlessLoop, linearModel, loopByRequest } from '../contract/onnx/testing/models.ts';
import type { Tensors } from '../contract/tensor.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import type { LoadedModel, LoadRequest } from './engine.ts';
import { createHostEngine, type HostEngineOptions } from './host-engine.ts';
import { isLight } from './host-runner.ts';
import { crashByRequest, KILLER, rows } from './testing/crash.ts';
import { hostOptions } from './testing/engines.ts';
import { childrenOf, until } from './testing/processes.ts';
import { elements, tensor, versionOf } from './testing/versions.ts';

/** The shortest that {@link hasty} leaves as it is. */
const LONG_MS = 1_001;
/** Waits before a restart pass quickly, limits on calls are what they are. */
const hasty: Clock = {
  now: systemClock.now,
  sleep: (ms, signal) => systemClock.sleep(ms > 1_000 ? ms : ms / 20, signal),
};
const cost = { loadMs: 1, runMs: 1, memoryBytes: 1e6 };

function start(options: Partial<HostEngineOptions> = {}) {
  const engine = createHostEngine({ ...hostOptions, ...options });
  onTestFinished(() => engine.close());
  return engine;
}

async function light(model: Uint8Array): Promise<LoadRequest> {
  return { ...(await versionOf(model)), cost };
}

const row = (a: number, b: number): Tensors => new Map([['x', tensor('FP32', [1, 2], [a, b])]]);
const steps = (count: bigint): Tensors =>
  new Map([
    ['x', tensor('FP32', [1, 3], [1, 2, 3])],
    ['steps', tensor('INT64', [1], [count])],
  ]);
const processes = (): number => childrenOf(process.pid).length;

async function againReady(model: LoadedModel, inputs: Tensors): Promise<void> {
  await until(() =>
    model.run(inputs).then(
      () => true,
      () => false,
    ),
  );
}

it.each([
  ['measured light', cost, true],
  ['not measured', undefined, false],
  ['slow to load', { ...cost, loadMs: 51 }, false],
  ['slow to run', { ...cost, runMs: 11 }, false],
  ['large', { ...cost, memoryBytes: 2 ** 30 }, false],
])('a model %s', (_, measured, expected) => expect(isLight({ cost: measured })).toBe(expected));

describe.skipIf(process.platform !== 'linux')('the processes of a host engine (counted on Linux)', () => {
  it('are shared by light models, as many as there may be, and end with the last one in each', async () => {
    const engine = start({ sharedHosts: 2 });
    const version = await light(linearModel());
    const models: LoadedModel[] = [];
    const counts: number[] = [];
    for (let index = 0; index < 5; index += 1) {
      models.push(await engine.load(version));
      counts.push(processes());
    }
    const heavy = await engine.load({ ...version, cost: { ...cost, runMs: 100 } });
    expect([...counts, processes()]).toEqual([1, 2, 2, 2, 2, 3]);
    const answers = await Promise.all(models.map((model, index) => model.run(row(index, 1))));
    expect(answers.flatMap((answer) => elements(answer, 'y'))).toEqual([4, 6, 8, 10, 12]);
    await heavy.release();
    expect(processes()).toBe(2);
    await Promise.all(models.slice(0, 4).map((model) => model.release()));
    expect(processes()).toBe(1);
    expect(elements(await models[4]!.run(row(1, 1)), 'y')).toEqual([6]);
    await models[4]!.release();
    expect(processes()).toBe(0);
  });

  it('take a model alone that ended a shared one, and load the others elsewhere', async () => {
    const engine = start({ sharedHosts: 1 });
    const killer = await engine.load(await light(crashByRequest()));
    const calm = await engine.load(await light(linearModel()));
    expect(processes()).toBe(1);
    await expect(killer.run(KILLER)).rejects.toMatchObject({ code: 'engine-crashed' });
    // Nobody who asks the other one notices.
    expect(elements(await calm.run(row(1, 2)), 'y')).toEqual([9]);
    await againReady(killer, rows(3n));
    expect(processes()).toBe(2);
    await expect(killer.run(KILLER)).rejects.toMatchObject({ code: 'engine-crashed' });
    expect(elements(await calm.run(row(1, 2)), 'y')).toEqual([9]);
  });

  it('know what ended one by its bytes: other ones under its name may share, and its own under another name may not', async () => {
    const engine = start({ sharedHosts: 1 });
    const bytes = await light(crashByRequest());
    const killer = await engine.load(bytes);
    await expect(killer.run(KILLER)).rejects.toMatchObject({ code: 'engine-crashed' });
    await killer.release();
    expect(processes()).toBe(0);
    await engine.load(await light(linearModel()));
    await engine.load(await light(linearModel()));
    expect(processes()).toBe(1);
    await engine.load({ ...bytes, name: 'other/7' });
    expect(processes()).toBe(2);
  });
});

describe('models that share a process', () => {
  it('try once more elsewhere what a run that never ends kept waiting', async () => {
    const engine = start({ sharedHosts: 1, runTimeoutMs: 1_000 });
    const endless = await engine.load(await light(loopByRequest()));
    const calm = await engine.load(await light(linearModel()));
    const ended = endless.run(steps(2n ** 62n)).catch((error: unknown) => error);
    // At the moment of the failure it is not loaded again yet.
    const after = ended.then(() => endless.run(steps(1n)).catch((error: unknown) => error));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const answers = await Promise.all(Array.from({ length: 5 }, (_, index) => calm.run(row(index, 0))));
    expect(answers.flatMap((answer) => elements(answer, 'y'))).toEqual([1, 3, 5, 7, 9]);
    expect(await ended).toMatchObject({ code: 'engine-timeout' });
    expect(await after).toMatchObject({
      code: 'model-not-ready',
      message: expect.stringMatching(/being loaded again: its process ended, as it took longer than 1000 ms/),
    });
  });

  it('are not let wait by one that has much to do', async () => {
    const engine = start({ sharedHosts: 1 });
    const busy = await engine.load(await light(loopByRequest()));
    const calm = await engine.load(await light(linearModel()));
    const order: string[] = [];
    const many = Array.from({ length: 8 }, () => busy.run(steps(20_000n)).then(() => order.push('busy')));
    await many[0];
    await calm.run(row(1, 1)).then(() => order.push('calm'));
    await Promise.all(many);
    // After the run under way, and before the rest.
    expect(order.indexOf('calm')).toBeLessThanOrEqual(2);
  });

  it('come back when the process is ended by the load of another', async () => {
    const engine = start({ sharedHosts: 1, loadTimeoutMs: 2_000 });
    const calm = await engine.load(await light(linearModel()));
    const { functionTower } = await import('../contract/onnx/testing/models.ts');
    const bomb = await light(functionTower({ depth: 40, calls: 2 }));
    await expect(engine.load(bomb)).rejects.toMatchObject({ code: 'engine-timeout' });
    expect(elements(await calm.run(row(1, 2)), 'y')).toEqual([9]);
  });
});

it('tells of a version that keeps ending its process, three times within a minute', async () => {
  const engine = start({
    sharedHosts: 1,
    clock: hasty,
  });
  const told: KedgeError[] = [];
  const model = await engine.load(await light(crashByRequest()), { onUnfit: (reason) => told.push(reason) });
  for (let death = 1; death <= 3; death += 1) {
    expect(told).toEqual([]);
    await expect(model.run(KILLER)).rejects.toMatchObject({ code: 'engine-crashed' });
    if (death < 3) await againReady(model, rows(3n));
  }
  expect(told).toMatchObject([
    {
      code: 'engine-crashed',
      message: 'made/1 ended its process 3 times within a minute, lately as it was killed by SIGABRT.',
    },
  ]);
});

it('blames no version for a run that was too long because its request was large, and takes no more such requests', async () => {
  const engine = start({ runTimeoutMs: LONG_MS, clock: hasty });
  const told: KedgeError[] = [];
  const model = await engine.load(await versionOf(loopByRequest()), { onUnfit: (reason) => told.push(reason) });
  const ask = (count: number, steps: bigint): Promise<Tensors> =>
    model.run(
      new Map([
        ['x', tensor('FP32', [count, 3], new Array(3 * count).fill(1))],
        ['steps', tensor('INT64', [1], [steps])],
      ]),
    );
  const ready = () => until(() => ask(1, 2n).then(Boolean, () => false));
  await ready();
  for (const [count, code] of [
    [1_000, 'engine-timeout'],
    [1_000, 'request-invalid'],
    [501, 'request-invalid'],
    [400, 'engine-timeout'],
    [201, 'request-invalid'],
  ] as const) {
    await expect(ask(count, 2n ** 62n)).rejects.toMatchObject({ code });
    await ready();
  }
  expect(told).toEqual([]);
  // Of few rows it is the version's.
  for (let death = 1; death <= 3; death += 1) {
    await expect(ask(1, 2n ** 62n)).rejects.toMatchObject({ code: 'engine-timeout' });
    if (death < 3) await ready();
  }
  expect(told).toMatchObject([{ code: 'engine-crashed', message: expect.stringMatching(/took longer than 1001 ms/) }]);
}, 60_000);

it('tells of a version that cannot be loaded again', async () => {
  const engine = start({
    sharedHosts: 1,
    clock: hasty,
  });
  const told: KedgeError[] = [];
  const version = await light(crashByRequest());
  const model = await engine.load(version, { onLost: (reason) => told.push(reason) });
  await rm(version.dir, { recursive: true });
  await expect(model.run(KILLER)).rejects.toMatchObject({ code: 'engine-crashed' });
  await until(() => Promise.resolve(told.length > 0));
  expect(told).toMatchObject([
    { code: 'engine-failed', message: expect.stringMatching(/^made\/1 could not be loaded again 3 times: .*ENOENT/) },
  ]);
});

it('refuses to load where a trial of merged rows never ends', async () => {
  const engine = start({ runTimeoutMs: 500 });
  const version = { ...(await versionOf(endlessLoop())), mergeRows: true };
  await expect(engine.load(version)).rejects.toMatchObject({ code: 'engine-timeout' });
});
