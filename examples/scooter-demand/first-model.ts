import { featureDigest } from '../../contract/estimator.ts';
import type { Details, SampleTensor } from '../../contract/manifest.ts';
import { type EncodeTensor, encodeModel } from '../../contract/onnx/encode.ts';
import estimator from './estimator.ts';
import { ELEMENTS } from './features.ts';

/**
 * A forecaster that nobody trained: a rule of thumb, so that there is something to serve before there is any history.
 * trips = max(0, exp(mean of the known lags, weighted + weather) - 1), where lags are in log1p and rain and wind take something off.
 */

const LAGS: Record<string, number> = { trips_day_ago: 0.45, trips_week_ago: 0.35, trips_mean_week: 0.2 };
const WEATHER: Record<string, number> = { precipitation: -0.4, wind: -0.02 };

/** Keeps the mean of no lags at 0 rather than 0 / 0, and is far below what a 32-bit float tells apart beside a weight. */
const TINY = 1e-12;

export interface FirstModelOptions {
  /** All forecasts are scaled by this: two versions that tell themselves apart. */
  scale?: number;
}

type Initializer = EncodeTensor & { name: string };

export function firstModel({ scale = 1 }: FirstModelOptions = {}): Uint8Array {
  const [input, output] = ['features', 'trips'];
  const constant = (name: string, value: number): Initializer => ({ name, type: 'float', dims: [1], data: [value] });
  const weights = (name: string, of: Record<string, number>): Initializer => ({
    name,
    type: 'float',
    dims: [ELEMENTS.length, 1],
    data: ELEMENTS.map((element) => of[element.name] ?? 0),
  });
  return encodeModel({
    producer: { name: 'kedge-examples', version: estimator.version },
    inputs: [{ name: input, type: 'float', dims: ['n', ELEMENTS.length] }],
    outputs: [{ name: output, type: 'float', dims: ['n', 1] }],
    initializers: [
      weights('lags', LAGS),
      weights('weather', WEATHER),
      constant('zero', 0),
      constant('one', 1),
      constant('tiny', TINY),
      constant('scale', scale),
    ],
    nodes: [
      { type: 'IsNaN', inputs: [input], outputs: ['missing'] },
      { type: 'Where', inputs: ['missing', 'zero', input], outputs: ['filled'] },
      { type: 'Where', inputs: ['missing', 'zero', 'one'], outputs: ['known'] },
      { type: 'MatMul', inputs: ['filled', 'lags'], outputs: ['sum'] },
      { type: 'MatMul', inputs: ['known', 'lags'], outputs: ['weight'] },
      { type: 'Add', inputs: ['weight', 'tiny'], outputs: ['divisor'] },
      { type: 'Div', inputs: ['sum', 'divisor'], outputs: ['mean'] },
      { type: 'MatMul', inputs: ['filled', 'weather'], outputs: ['lost'] },
      { type: 'Add', inputs: ['mean', 'lost'], outputs: ['log'] },
      { type: 'Exp', inputs: ['log'], outputs: ['exp'] },
      { type: 'Sub', inputs: ['exp', 'one'], outputs: ['more'] },
      { type: 'Relu', inputs: ['more'], outputs: ['least'] },
      { type: 'Mul', inputs: ['least', 'scale'], outputs: [output] },
    ],
  });
}

/** The same rule, worked out without the runtime. */
function ruleOfThumb(features: readonly number[], scale: number): number {
  const total = (of: Record<string, number>, value: (index: number) => number): number =>
    ELEMENTS.reduce((sum, { name }, index) => sum + (of[name] ?? 0) * value(index), 0);
  const known = (index: number): number => Number(!Number.isNaN(features[index]));
  const filled = (index: number): number => features[index]! || 0;
  const log = total(LAGS, filled) / (total(LAGS, known) + TINY) + total(WEATHER, filled);
  return Math.max(0, Math.exp(log) - 1) * scale;
}

/** What goes with it into the manifest: the code that it was made for, and a sample of what it answers to `row`. */
export function firstModelDetails(row: Record<string, unknown>, { scale = 1 }: FirstModelOptions = {}): Details {
  const features = [...(estimator.encode([row]).get('features')!.data as Float32Array)];
  const tensor = (shape: number[], data: number[]): SampleTensor => ({ datatype: 'FP32', shape, data });
  return {
    code: { estimator: estimator.name, version: estimator.version, features: featureDigest(estimator.features) },
    requires: { estimator: `^${estimator.version}` },
    samples: [
      {
        inputs: { features: tensor([1, ELEMENTS.length], features) },
        outputs: { trips: tensor([1, 1], [ruleOfThumb(features, scale)]) },
        tolerance: { abs: 1e-3, rel: 1e-4 },
      },
    ],
  };
}
