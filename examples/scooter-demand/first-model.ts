import { featureDigest } from '../../contract/estimator.ts';
import type { Details, SampleTensor } from '../../contract/manifest.ts';
import { encodeModel } from '../../contract/onnx/encode.ts';
import estimator from './estimator.ts';
import { ELEMENTS } from './features.ts';

/**
 * A forecaster that nobody trained: a rule of thumb, so that there is something to serve before there is any history.
 * trips = max(0, exp(w · features) - 1), where the weights mix the same hour of a day ago, of a week ago and the mean of the
 * week, and take something off for rain and wind.
 */

const WEIGHTS: Record<string, number> = {
  trips_day_ago: 0.45,
  trips_week_ago: 0.35,
  trips_mean_week: 0.2,
  precipitation: -0.4,
  wind: -0.02,
};

export interface FirstModelOptions {
  /** All forecasts are scaled by this: two versions that tell themselves apart. */
  scale?: number;
}

export function firstModel({ scale = 1 }: FirstModelOptions = {}): Uint8Array {
  const [input, output] = ['features', 'trips'];
  return encodeModel({
    producer: { name: 'kedge-examples', version: estimator.version },
    inputs: [{ name: input, type: 'float', dims: ['n', ELEMENTS.length] }],
    outputs: [{ name: output, type: 'float', dims: ['n', 1] }],
    initializers: [
      { name: 'weights', type: 'float', dims: [ELEMENTS.length, 1], data: ELEMENTS.map((name) => WEIGHTS[name] ?? 0) },
      { name: 'one', type: 'float', dims: [1], data: [1] },
      { name: 'scale', type: 'float', dims: [1], data: [scale] },
    ],
    nodes: [
      { type: 'MatMul', inputs: [input, 'weights'], outputs: ['log'] },
      { type: 'Exp', inputs: ['log'], outputs: ['exp'] },
      { type: 'Sub', inputs: ['exp', 'one'], outputs: ['more'] },
      { type: 'Relu', inputs: ['more'], outputs: ['least'] },
      { type: 'Mul', inputs: ['least', 'scale'], outputs: [output] },
    ],
  });
}

/** What goes with it into the manifest: the code that it was made for, and a sample worked out without the runtime. */
export function firstModelDetails(row: Record<string, unknown>, { scale = 1 }: FirstModelOptions = {}): Details {
  const features = [...(estimator.encode([row]).get('features')!.data as Float32Array)];
  const log = ELEMENTS.reduce((sum, name, index) => sum + (WEIGHTS[name] ?? 0) * features[index]!, 0);
  const tensor = (shape: number[], data: number[]): SampleTensor => ({ datatype: 'FP32', shape, data });
  return {
    code: { estimator: estimator.name, version: estimator.version, features: featureDigest(estimator.features) },
    requires: { estimator: `^${estimator.version}` },
    samples: [
      {
        inputs: { features: tensor([1, ELEMENTS.length], features) },
        outputs: { trips: tensor([1, 1], [Math.max(0, Math.exp(log) - 1) * scale]) },
        tolerance: { abs: 1e-3, rel: 1e-4 },
      },
    ],
  };
}
