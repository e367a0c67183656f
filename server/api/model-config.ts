import type { VersionPolicy } from '../../contract/rollout.ts';
import type { Datatype, TensorSpec } from '../../contract/signature.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import { describeMerging, judgeRows } from '../placement.ts';
import type { BatchSettings } from './context.ts';
import { PLATFORM } from './describe.ts';

/**
 * The model configuration extension, in the form that Triton makes up for an ONNX model without a config file. Where rows of
 * several requests are answered in one run, as `/versions` tells, and every tensor has that dimension first, `max_batch_size` is how many, and
 * `dims` leave out the first dimension as Triton's do; elsewhere it is 0 and `dims` are whole. It limits runs, not requests: one of more
 * rows is answered too.
 */
export function describeConfig(
  { model, entry, merging, signature }: ServedVersion,
  { policy, keepReady, batch }: { policy: VersionPolicy | undefined; keepReady: number; batch: BatchSettings },
): object {
  const { inputs, outputs } = signature;
  const { merged } = describeMerging(judgeRows(entry), merging);
  const batches = merged && [...inputs, ...outputs].every(({ shape }) => shape[0] === -1);
  const dims = ({ shape }: TensorSpec): number[] => (batches ? shape.slice(1) : shape);
  return {
    name: model,
    platform: PLATFORM,
    backend: 'onnxruntime',
    runtime: '',
    version_policy: policyOf(policy ?? { latest: keepReady }),
    max_batch_size: batches ? batch.maxRows : 0,
    input: inputs.map((spec) => ({
      name: spec.name,
      data_type: typeOf(spec.datatype),
      format: 'FORMAT_NONE',
      dims: dims(spec),
      is_shape_tensor: false,
      allow_ragged_batch: false,
      optional: spec.optional === true,
    })),
    output: outputs.map((spec) => ({
      name: spec.name,
      data_type: typeOf(spec.datatype),
      dims: dims(spec),
      label_filename: '',
      is_shape_tensor: false,
    })),
    batch_input: [],
    batch_output: [],
    ...(batches && {
      dynamic_batching: { preferred_batch_size: [], max_queue_delay_microseconds: batch.waitMs * 1_000 },
    }),
    instance_group: [{ name: model, kind: 'KIND_CPU', count: 1, gpus: [] }],
    default_model_filename: 'model.onnx',
    cc_model_filenames: {},
    metric_tags: {},
    parameters: {},
    model_warmup: [],
  };
}

function policyOf(policy: VersionPolicy): object {
  if ('all' in policy) return { all: {} };
  return 'specific' in policy
    ? { specific: { versions: policy.specific } }
    : { latest: { num_versions: policy.latest } };
}

function typeOf(datatype: Datatype): string {
  return datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`;
}
