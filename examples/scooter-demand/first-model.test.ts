import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import estimator from './estimator.ts';
import { firstModel, firstModelDetails } from './first-model.ts';

const weather = { time: '2026-11-23T18:00', temperature: 7.5, precipitation: 0, wind: 0 };

async function answer(row: Record<string, unknown>, scale?: number): Promise<number> {
  const session = await InferenceSession.create(firstModel({ ...(scale && { scale }) }));
  const { data, shape } = estimator.encode([row]).get('features')!;
  const outputs = await session.run({ features: new Tensor('float32', data as Float32Array, [...shape]) });
  return Number(outputs['trips']!.data[0]);
}

describe('the rule of thumb', () => {
  it('weighs the lags that are known', async () => {
    expect(await answer({ ...weather, trips_day_ago: 40, trips_week_ago: 40, trips_mean_week: 40 })).toBeCloseTo(40, 3);
    expect(await answer({ ...weather, trips_week_ago: 40 })).toBeCloseTo(40, 3);
    const both = await answer({ ...weather, trips_day_ago: 40, trips_week_ago: 20 });
    expect(both).toBeCloseTo(Math.exp((0.45 * Math.log(41) + 0.35 * Math.log(21)) / 0.8) - 1, 3);
  });

  it('says none where nothing is known', async () => expect(await answer(weather)).toBe(0));

  it('takes something off for rain, and scales', async () => {
    const rain = { ...weather, trips_day_ago: 40, precipitation: 2 };
    expect(await answer(rain)).toBeCloseTo(Math.exp(Math.log(41) - 0.4 * Math.log(3)) - 1, 3);
    expect(await answer(rain, 2)).toBeCloseTo(2 * (await answer(rain)), 3);
  });

  it.each([
    ['of all lags', { trips_day_ago: 40, trips_week_ago: 36, trips_mean_week: 12.5, wind: 3 }],
    ['of none', {}],
  ])('comes with a sample %s that the runtime gives, too', async (_what, lags) => {
    const { samples } = firstModelDetails({ ...weather, ...lags }, { scale: 1.1 });
    const expected = Number(samples![0]!.outputs['trips']!.data[0]);
    expect(await answer({ ...weather, ...lags }, 1.1)).toBeCloseTo(expected, 3);
  });
});
