import { hasCode, messageOf } from '../contract/errors.ts';
import type { Sample } from '../contract/manifest.ts';
import type { Tensor, Tensors } from '../contract/tensor.ts';
import type { LoadRequest } from './engine.ts';
import { madeUpInputs } from './made-up.ts';
import { mergeableRows, mergeRows, type RowLayout, rowLayoutOf, splitRows, trailingShapes } from './merge.ts';
import { compareOutputs, tensorsOfSample } from './samples.ts';
import type { Runner } from './session.ts';

export interface Merging {
  merges: boolean;
  /** A sentence. */
  because: string;
}

/** Samples that rows are taken from. */
const MAX_SAMPLES = 4;
/** A stranger's values are so much larger, so that what is taken over all rows shows. */
const LARGER = 100;
/** How far an answer may move, as sums come out a little different in another number of rows. */
const TOLERANCE: Sample['tolerance'] = { abs: 1e-4, rel: 1e-3 };
const HALF_TOLERANCE: Sample['tolerance'] = { abs: 1e-2, rel: 1e-2 };

/**
 * Whether rows of several requests are answered in one run. That they may be is proved or declared before; here it is tried: requests alone, merged,
 * and merged with a stranger of large values must come out equal. The trial can only forbid it.
 * @throws KedgeError where a run of the trial ended its process
 */
export async function judgeMerging(runner: Runner, request: LoadRequest): Promise<Merging> {
  const layout = rowLayoutOf(request.signature);
  if (!request.mergeRows)
    return { merges: false, because: 'Its rows are neither proved nor declared to be independent.' };
  if (!layout) return { merges: false, because: 'An input that must be given has no rows.' };
  const [first, ...others] = trialInputs(request, layout);
  if (!first) return { merges: true, because: 'Its rows are independent; no inputs to try it with are known.' };
  const outputs = request.signature.outputs.map(({ name }) => name);
  const groups = [others.length > 0 ? [first, ...others] : [first, first], [larger(first), first, ...others]];
  const alone = new Map<Tensors, Tensors>();
  for (const inputs of [first, ...others]) {
    const answer = await attempt(runner, inputs, outputs);
    if (!(answer instanceof Map))
      return { merges: true, because: `Its rows are independent; it was not tried: ${answer}` };
    alone.set(inputs, answer);
  }
  for (const group of groups) {
    const problem = await tryGroup(runner, group, alone, { outputs, layout, request });
    if (problem)
      return {
        merges: false,
        because: `In the trial, rows of several requests together came out otherwise than alone: ${problem}`,
      };
  }
  return { merges: true, because: 'Its rows are independent, and came out equal alone and merged.' };
}

interface GroupOptions {
  outputs: readonly string[];
  layout: RowLayout;
  request: LoadRequest;
}

async function tryGroup(
  runner: Runner,
  group: readonly Tensors[],
  alone: ReadonlyMap<Tensors, Tensors>,
  { outputs, layout, request }: GroupOptions,
): Promise<string | undefined> {
  const counts = group.map((inputs) => mergeableRows(inputs, layout)!);
  const rows = counts.reduce((total, count) => total + count, 0);
  const merged = await attempt(runner, mergeRows(group, rows, layout), outputs);
  if (!(merged instanceof Map)) return merged;
  const parts = splitRows(merged, counts, rows);
  if (!parts) return 'an output does not have a row for each row of the inputs.';
  const half = [...request.signature.inputs, ...request.signature.outputs].some(({ datatype }) => datatype === 'FP16');
  for (const [index, inputs] of group.entries()) {
    const wanted = alone.get(inputs);
    const problem = wanted && compareOutputs(parts[index]!, wanted, half ? HALF_TOLERANCE : TOLERANCE);
    if (problem) return problem;
  }
  return undefined;
}

/** The answer, or what the model said against the inputs. */
async function attempt(runner: Runner, inputs: Tensors, outputs: readonly string[]): Promise<Tensors | string> {
  try {
    return await runner.run(inputs, outputs);
  } catch (error) {
    if (hasCode(error, 'request-invalid') || hasCode(error, 'engine-failed')) return messageOf(error);
    throw error;
  }
}

/** Requests that fit together: of the samples, or else made up. */
function trialInputs({ samples = [], signature }: LoadRequest, layout: RowLayout): Tensors[] {
  if (samples.length === 0) return [0, 1].map((turn) => varied(madeUpInputs(signature, 'ones', { rows: 1 }), turn));
  const given = samples.slice(0, MAX_SAMPLES).map(({ inputs }) => tensorsOfSample(inputs));
  const fitting = given.filter((inputs) => (mergeableRows(inputs, layout) ?? 0) > 0);
  const [first] = fitting;
  return fitting.filter((inputs) => trailingShapes(inputs, layout) === trailingShapes(first!, layout));
}

function varied(inputs: Tensors, turn: number): Tensors {
  return mapFloats(inputs, (_, index) => Math.sin(index + 1 + turn));
}

function larger(inputs: Tensors): Tensors {
  return mapFloats(inputs, (value) => value * LARGER);
}

function mapFloats(inputs: Tensors, change: (value: number, index: number) => number): Tensors {
  return new Map(
    [...inputs].map(([name, tensor]): [string, Tensor] => {
      if (!tensor.datatype.startsWith('FP')) return [name, tensor];
      return [name, { ...tensor, data: (tensor.data as Float32Array).map(change) }];
    }),
  );
}
