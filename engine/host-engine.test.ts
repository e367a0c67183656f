import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hasCode } from '../contract/errors.ts';
import { MODEL_FILE } from '../contract/layout.ts';
import { allocation, functionTower, linearModel, loopByRequest } from '../contract/onnx/testing/models.ts';
import type { Tensors } from '../contract/tensor.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import type { LoadedModel } from './engine.ts';
import { createHostEngine, type HostEngineOptions } from './host-engine.ts';
import { crashByRequest, crashByRow, KILLER, rows } from './testing/crash.ts';
import { hostOptions } from './testing/engines.ts';
import { childrenOf, until } from './testing/processes.ts';
import { elements, tensor, versionOf } from './testing/versions.ts';

function start(options: Partial<HostEngineOptions> = {}) {
  const engine = createHostEngine({ ...hostOptions, ...options });
  onTestFinished(() => engine.close());
  return engine;
}

/** The answer once the model is loaded again; until then every run must say that it is not ready. */
async function afterRestart(model: LoadedModel, inputs: Tensors): Promise<Tensors> {
  let answer: Tensors | undefined;
  await until(async () => {
    answer = await model.run(inputs).catch((error: unknown) => {
      if (hasCode(error, 'model-not-ready')) return undefined;
      throw error;
    });
    return answer !== undefined;
  });
  return answer!;
}

describe('host engine', () => {
  it('survives a request that kills the host, says why it is not ready, and answers again', async () => {
    const model = await start().load(await versionOf(crashByRequest()));
    const other = await start().load(await versionOf(linearModel()));
    await expect(model.run(KILLER)).rejects.toMatchObject({
      code: 'engine-crashed',
      message: 'Running made/1 ended its process: it was killed by SIGABRT.',
    });
    await expect(model.run(rows(3n))).rejects.toMatchObject({
      code: 'model-not-ready',
      message:
        'made/1 is being loaded again: its process ended, as it was killed by SIGABRT. Try again in a few seconds.',
    });
    expect(elements(await other.run(new Map([['x', tensor('FP32', [1, 2], [1, 2])]])), 'y')).toEqual([9]);
    expect(elements(await afterRestart(model, rows(3n)), 'y')).toEqual([1n, 3n, 2n]);
  });

  it('answers the others of a merged run of which one request ended the process', async () => {
    const row = (value: bigint): Tensors => new Map([['x', tensor('INT64', [1, 1], [value])]]);
    const samples = [1n, 2n].map((value) => ({
      inputs: { x: { datatype: 'INT64' as const, shape: [1, 1], data: [Number(value)] } },
      outputs: {},
      tolerance: { abs: 0, rel: 0 },
    }));
    const version = await versionOf(crashByRow());
    const model = await start().load({ ...version, mergeRows: true, samples });
    expect(model.merging?.merges).toBe(true);
    const asked = [3n, 4n, 0n, 5n].map((value) => model.run(row(value)));
    const answers = await Promise.allSettled(asked);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(answers.flatMap((answer) => ('value' in answer ? elements(answer.value, 'y') : []))).toEqual([3n, 4n, 5n]);
    await expect(asked[2]).rejects.toMatchObject({
      code: 'engine-crashed',
      message: 'Running made/1 ended its process: it was killed by SIGABRT.',
    });
    expect(model.merging?.merges).toBe(false);
  });

  it('ends a run that never ends, and answers again', async () => {
    const model = await start({ runTimeoutMs: 500 }).load(await versionOf(loopByRequest()));
    const steps = (count: bigint): Tensors =>
      new Map([
        ['x', tensor('FP32', [1, 3], [1, 2, 3])],
        ['steps', tensor('INT64', [1], [count])],
      ]);
    expect(elements(await model.run(steps(3n)), 'y')).toEqual([-1, -2, -3]);
    await expect(model.run(steps(2n ** 62n))).rejects.toMatchObject({
      code: 'engine-timeout',
      message: 'Running made/1 ended its process: it took longer than 500 ms.',
    });
    expect(elements(await afterRestart(model, steps(2n)), 'y')).toEqual([1, 2, 3]);
  });

  it('ends a run that takes too much memory, and answers again', async () => {
    const model = await start({ memoryLimitBytes: 400 * 2 ** 20 }).load(await versionOf(allocation()));
    const allocate = (count: bigint): Tensors => new Map([['n', tensor('INT64', [1], [count])]]);
    await expect(model.run(allocate(300_000_000n))).rejects.toMatchObject({ code: 'engine-memory' });
    expect(elements(await afterRestart(model, allocate(10n)), 'sum')).toEqual([0]);
  });

  it('refuses a load that does not end within its time', async () => {
    await expect(
      start({ loadTimeoutMs: 300 }).load(await versionOf(functionTower({ depth: 40, calls: 2 }))),
    ).rejects.toMatchObject({
      code: 'engine-timeout',
      message: 'Loading made/1 ended its process: it took longer than 300 ms.',
    });
  });

  it('waits longer after each attempt to load again, and takes what is there at last', async () => {
    const waits: number[] = [];
    const clock: Clock = {
      now: systemClock.now,
      sleep: (ms, signal) => {
        if (ms > 1000) return systemClock.sleep(ms, signal);
        waits.push(ms);
        return systemClock.sleep(ms / 20, signal);
      },
    };
    const version = await versionOf(crashByRequest());
    const model = await start({ clock }).load(version);
    const file = join(version.dir, MODEL_FILE);
    await rename(file, `${file}.away`);
    await expect(model.run(KILLER)).rejects.toMatchObject({ code: 'engine-crashed' });
    await until(() => waits.length >= 3);
    await expect(model.run(rows(3n))).rejects.toThrow(/being loaded again: model\.onnx of made\/1 cannot be read/);
    await rename(`${file}.away`, file);
    expect(elements(await afterRestart(model, rows(3n)), 'y')).toEqual([1n, 3n, 2n]);
    expect(waits.slice(0, 3)).toEqual([100, 200, 400]);
    // It was not up for long, so the count goes on.
    const before = waits.length;
    await expect(model.run(KILLER)).rejects.toMatchObject({ code: 'engine-crashed' });
    expect(elements(await afterRestart(model, rows(3n)), 'y')).toEqual([1n, 3n, 2n]);
    expect(waits[before]).toBe(100 * 2 ** before);
  });

  it.skipIf(process.platform !== 'linux')('answers again after its process was killed from outside', async () => {
    const model = await start().load(await versionOf(crashByRequest()));
    const [host] = childrenOf(process.pid);
    process.kill(host!, 'SIGKILL');
    // Until this process hears of it, a run finds the pipe broken.
    await model.run(rows(3n)).catch((error) => expect(hasCode(error, 'engine-crashed')).toBe(true));
    expect(elements(await afterRestart(model, rows(3n)), 'y')).toEqual([1n, 3n, 2n]);
  });

  it.skipIf(process.platform !== 'linux')('has no process after release, also while it is loading again', async () => {
    const engine = start();
    const calm = await engine.load(await versionOf(linearModel()));
    const killed = await engine.load(await versionOf(crashByRequest()));
    await expect(killed.run(KILLER)).rejects.toMatchObject({ code: 'engine-crashed' });
    await Promise.all([calm.release(), killed.release()]);
    expect(childrenOf(process.pid)).toEqual([]);
    await expect(killed.run(rows(3n))).rejects.toMatchObject({ code: 'model-not-ready' });
  });
});
