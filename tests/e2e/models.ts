import { type EncodeModel, encodeModel } from '../../contract/onnx/encode.ts';

/** Small models that the tests of the whole path make for themselves. */

export interface LinearOptions {
  /** y = sum(x) * weight + bias, for rows of three. */
  weight: number;
  bias?: number;
  input?: string;
  opset?: number;
  irVersion?: number;
  external?: string;
}

/** FP32 `x` [n,3] to FP32 `y` [n,1]. */
export function linearModel({
  weight,
  bias = 0,
  input = 'x',
  opset = 15,
  irVersion = 8,
  external,
}: LinearOptions): Uint8Array {
  const weights = external
    ? { name: 'w', type: 'float' as const, dims: [3, 1], external: { location: external } }
    : { name: 'w', type: 'float' as const, dims: [3, 1], data: [weight, weight, weight] };
  return encodeModel({
    irVersion,
    opsets: { '': opset },
    inputs: [{ name: input, type: 'float', dims: ['n', 3] }],
    outputs: [{ name: 'y', type: 'float', dims: ['n', 1] }],
    initializers: [weights, { name: 'b', type: 'float', dims: [1], data: [bias] }],
    nodes: [{ type: 'Gemm', inputs: [input, 'w', 'b'], outputs: ['y'] }],
  });
}

/** A request of one row, and what {@link linearModel} of `weight` and `bias` makes of it. */
const ROW = [1, 2, 3];
export const linearRequest = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: ROW }] };
export const linearAnswer = (weight: number, bias = 0): number => 6 * weight + bias;

type Value = NonNullable<EncodeModel['inputs']>[number];

/** A model that takes these inputs and always gives zeros: a stand-in for the version before one with the same signature. */
export function standIn(inputs: readonly Value[], outputs: readonly Value[]): Uint8Array {
  const zeros = outputs.map(({ name, type, dims = [] }) => {
    const shape = dims.map((dim) => (typeof dim === 'number' ? dim : 1));
    const zero = type === 'string' ? '' : type === 'bool' ? false : 0;
    const data = new Array<string | boolean | number>(shape.reduce((product, dim) => product * dim, 1)).fill(zero);
    return { name: `${name}_zero`, type: type as 'float', dims: shape, data };
  });
  return encodeModel({
    inputs,
    outputs,
    initializers: zeros,
    nodes: outputs.map(({ name }) => ({ type: 'Identity', inputs: [`${name}_zero`], outputs: [name] })),
  });
}
