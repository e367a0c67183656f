import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstModel } from '../../examples/scooter-demand/first-model.ts';
import { systemClock } from '../../platform/clock.ts';
import { checkAnswers, checkErrors } from './check.ts';
import type { Prediction } from './client.ts';
import type { Walk } from './walk.ts';

describe('what a server answers is held against the published file', () => {
  const weather = { temperature: 10, precipitation: 0, wind: 0 };
  // With one lag known and fair weather the rule of thumb of the model is that lag.
  const rows = [3, 12].map((lag) => ({ time: '2026-11-24T18:00', ...weather, trips_day_ago: lag }));
  let walk: Walk;
  beforeAll(async () => {
    const bucketDir = await mkdtemp(join(tmpdir(), 'kedge-check-'));
    walk = { bucketDir, clock: systemClock, signal: new AbortController().signal } as Walk;
    await mkdir(join(bucketDir, 'm/1'), { recursive: true });
    await writeFile(join(bucketDir, 'm/1/model.onnx'), firstModel());
  });
  afterAll(() => rm(walk.bucketDir, { recursive: true, force: true }));
  const check = (trips: number[], version = '1'): Promise<void> =>
    checkAnswers(walk, 'm', rows, { trips, version, digest: '' } satisfies Prediction);

  it('right', () => expect(check([3, 12])).resolves.toBeUndefined());
  it.each([
    ['in another order', [12, 3], '1', /row 0 with 12; its file says/],
    ['a little off', [3, 12.01], '1', /row 1 with 12.01/],
    ['too few', [3], '1', /row 1 with NaN/],
    ['too many', [3, 12, 12], '1', /2 rows with 3 forecasts/],
    ['by another version', [3, 12], '2', /answered by version 2 and not by 1/],
  ])('%s', (_, trips, version, message) =>
    expect(check(trips, version)).rejects.toMatchObject({ code: 'internal', message: expect.stringMatching(message) }),
  );
});

describe('models that are no use', () => {
  const error = (model: number, naive: number, hours = 24) => ({ model, naive, hours });
  it('are told from a bad day', () => {
    expect(() => checkErrors([error(6, 4), error(1, 2)])).not.toThrow();
    expect(() => checkErrors([error(20, 4), error(1, 2)])).toThrow('3.50 times as much');
  });
  it('are not judged by a day that is not there', () =>
    expect(() => checkErrors([error(20, 4, 11), error(1, 2)])).not.toThrow());
});
