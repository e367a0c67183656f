import { KedgeError } from '../../contract/errors.ts';
import { parseVersion } from '../../contract/names.ts';
import type { Datatype, TensorSpec } from '../../contract/signature.ts';
import type { ServedModel } from '../lifecycle/served-model.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import { show } from './errors.ts';
import { canAnswer, numbersOf, type StateOfVersion, sentenceOf, stateOf } from './version-states.ts';

/** Words of TensorFlow Serving (apis/get_model_status.proto) for the states of a version; END for what is over. */
const STATES: Partial<Record<StateOfVersion['state'], string>> = {
  discovered: 'START',
  available: 'START',
  incomplete: 'START',
  loading: 'LOADING',
  warming: 'LOADING',
  draining: 'UNLOADING',
};

/** Error codes of TensorFlow for what did not load. */
const CODES: Partial<Record<StateOfVersion['state'], string>> = {
  refused: 'FAILED_PRECONDITION',
  failed: 'UNAVAILABLE',
};

/**
 * The status of a model, or of one version: `model_version_status` as TensorFlow Serving answers it, `name` and `ready` as KServe does.
 * @throws KedgeError `version-unknown`
 */
export function describeStatus(model: ServedModel, number?: string): object {
  const version = number === undefined ? undefined : parseVersion(number);
  if (number !== undefined && (version === undefined || !model.knows(version))) {
    throw new KedgeError('version-unknown', `${model.name} has no version ${show(number)}.`);
  }
  const numbers = version === undefined ? numbersOf(model) : [version];
  return {
    name: model.name,
    ready: version === undefined ? model.isAble : canAnswer(model, version),
    model_version_status: numbers.map((one) => {
      const { state, reasons } = stateOf(model, one);
      return {
        version: String(one),
        // What is lazy and asleep takes requests like any other.
        state: canAnswer(model, one) ? 'AVAILABLE' : (STATES[state] ?? 'END'),
        status: { error_code: CODES[state] ?? 'OK', error_message: sentenceOf(reasons) },
      };
    }),
  };
}

const TYPES: Record<Datatype, string> = {
  BOOL: 'DT_BOOL',
  UINT8: 'DT_UINT8',
  UINT16: 'DT_UINT16',
  UINT32: 'DT_UINT32',
  UINT64: 'DT_UINT64',
  INT8: 'DT_INT8',
  INT16: 'DT_INT16',
  INT32: 'DT_INT32',
  INT64: 'DT_INT64',
  FP16: 'DT_HALF',
  FP32: 'DT_FLOAT',
  FP64: 'DT_DOUBLE',
  BYTES: 'DT_STRING',
};

/** Metadata as TensorFlow Serving answers it, with the one signature that an ONNX model has. */
export function describeMetadata({ model, version, signature }: ServedVersion): object {
  const serving = {
    inputs: tensorsOf(signature.inputs),
    outputs: tensorsOf(signature.outputs),
    method_name: 'tensorflow/serving/predict',
  };
  return {
    model_spec: { name: model, signature_name: '', version: String(version) },
    metadata: { signature_def: { signature_def: { serving_default: serving } } },
  };
}

function tensorsOf(specs: readonly TensorSpec[]): object {
  return Object.fromEntries(
    specs.map(({ name, datatype, shape }) => [
      name,
      {
        dtype: TYPES[datatype],
        tensor_shape: { dim: shape.map((size) => ({ size: String(size), name: '' })), unknown_rank: false },
        name,
      },
    ]),
  );
}
