import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { taskOf } from '../queue/testing/runs.ts';
import { FITTED_MODEL, type FitOrder, HELD_OUT_FILE } from './fit-entry.ts';
import { fitInProcess } from './fit-process.ts';
import { decodeHeldOut } from './held-out.ts';
import { LINE_MODULE, lineModel } from './testing/line.ts';

describe('a fit in a process of its own', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kedge-fit-'));
    await writeFile(join(folder, 'seed.json'), '1');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const order = (settings: Record<string, unknown> = {}): FitOrder => ({
    module: LINE_MODULE,
    task: taskOf('line-a', { settings }),
    folder,
  });
  const options = { clock: systemClock, timeoutMs: 60_000 };

  it('leaves the model and the held-out rows, and tells what it took', async () => {
    const told: number[] = [];
    const result = await fitInProcess(order(), { ...options, onProgress: (done) => told.push(done) });
    const slope = result.report['slope'] as number;
    expect(slope).toBeCloseTo(2, 1);
    expect(await readFile(join(folder, FITTED_MODEL))).toEqual(Buffer.from(lineModel(slope)));
    const held = decodeHeldOut(await readFile(join(folder, HELD_OUT_FILE)), result);
    expect(held.rows).toBe(96);
    expect(held.fitted[0]).toBe(held.features[0]! * slope);
    expect(told).toEqual([0.5]);
    expect(result.cost.peakBytes).toBeGreaterThan(20 * 2 ** 20);
    expect(result.cost.cpuMs).toBeGreaterThan(0);
    expect(result.details.samples![0]!.inputs['x']!.data).toEqual([1, Number.NaN]);
  });

  it.runIf(process.platform === 'linux')('counts what its commands take', async () => {
    const { cost } = await fitInProcess(order({ commandMiB: 300 }), options);
    expect(cost.peakBytes).toBeGreaterThan(340 * 2 ** 20);
    expect(cost.peakBytes).toBeLessThan(700 * 2 ** 20);
  });

  it.each([
    ['its own error', { poison: 'line-a' }, { code: 'data-invalid', message: /holds no number/ }],
    ['a crash', { crash: 'line-a' }, { code: 'fit-crashed', message: /SIGABRT/ }],
    ['what is no error of ours', { failOnce: '/nonexistent/file' }, { code: 'fit-failed' }],
  ])('tells of %s', async (_, settings, expected) => {
    await expect(fitInProcess(order(settings), options)).rejects.toMatchObject(expected);
  });

  it('ends one that hangs at its limit, though its loop is blocked', async () => {
    let pid = 0;
    const fitting = fitInProcess(order({ hang: 'line-a' }), {
      ...options,
      timeoutMs: 1_500,
      onStart: (started) => {
        pid = started;
      },
    });
    await expect(fitting).rejects.toMatchObject({ code: 'fit-timeout', message: /limit of 1.5 s/ });
    expect(() => process.kill(pid, 0)).toThrow();
  });

  it('ends it when nobody wants it any more', async () => {
    const wanted = new AbortController();
    let pid = 0;
    const onStart = (started: number): void => {
      pid = started;
      setTimeout(() => wanted.abort(new Error('No longer.')), 300);
    };
    const fitting = fitInProcess(order({ hang: 'line-a' }), { ...options, signal: wanted.signal, onStart });
    await expect(fitting).rejects.toThrow('No longer.');
    expect(() => process.kill(pid, 0)).toThrow();
  });
});
