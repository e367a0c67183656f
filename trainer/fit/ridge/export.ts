import { type EncodeNode, type EncodeTensor, encodeModel } from '../../../contract/onnx/encode.ts';
import { KEDGE_VERSION } from '../../../contract/version.ts';
import type { TensorNames } from '../fitter.ts';
import type { Design } from './design.ts';

export interface Linear {
  /** By element of the design matrix. */
  weights: Float64Array;
  intercept: number;
}

/**
 * The bytes of model.onnx: the design matrix by Gather, Where(IsNaN), Sub and Mul (numbers) and Gather, Equal and Cast (categories), then one Gemm.
 * Centring comes before the weights, so that 32-bit floats lose nothing on columns far from 0.
 */
export function ridgeOnnx(design: Design, linear: Linear, columns: number, names: TensorNames): Uint8Array {
  const { numbers, categories } = design;
  const initializers: (EncodeTensor & { name: string })[] = [];
  const nodes: EncodeNode[] = [];
  // The names of the tensors are the caller's: those in between have a prefix that no other has.
  const prefix = `${names.input}/${names.output}/`;
  const own = (name: string): string => prefix + name;
  const tensor = (name: string, type: 'float' | 'int64', dims: number[], data: readonly number[]): string => {
    initializers.push({ name: own(name), type, dims, data });
    return own(name);
  };
  const node = (type: string, inputs: string[], output: string, attributes: EncodeNode['attributes'] = {}): string => {
    nodes.push({ type, inputs, outputs: [output], attributes });
    return output;
  };
  const gather = (name: string, at: readonly { column: number }[]): string => {
    const indices = tensor(
      `${name}.columns`,
      'int64',
      [at.length],
      at.map(({ column }) => column),
    );
    return node('Gather', [names.input, indices], own(name), { axis: { int: 1 } });
  };
  const parts: string[] = [];
  if (numbers.length > 0) {
    const size = [numbers.length];
    const means = tensor(
      'means',
      'float',
      size,
      numbers.map(({ mean }) => mean),
    );
    const scales = tensor(
      'scales',
      'float',
      size,
      numbers.map(({ scale }) => scale),
    );
    const raw = gather('numbers', numbers);
    const missing = node('IsNaN', [raw], own('missing'));
    const whole = node('Where', [missing, means, raw], own('whole'));
    parts.push(node('Mul', [node('Sub', [whole, means], own('centred')), scales], own('scaled')));
  }
  if (categories.length > 0) {
    const codes = tensor(
      'codes',
      'float',
      [categories.length],
      categories.map(({ code }) => code),
    );
    const equal = node('Equal', [gather('categories', categories), codes], own('equal'));
    parts.push(node('Cast', [equal], own('hot'), { to: { int: 1 } }));
  }
  const matrix = parts.length > 1 ? node('Concat', parts, own('matrix'), { axis: { int: 1 } }) : parts[0]!;
  const weights = tensor('weights', 'float', [linear.weights.length, 1], [...linear.weights]);
  const intercept = tensor('intercept', 'float', [1], [linear.intercept]);
  node('Gemm', [matrix, weights, intercept], names.output);
  return encodeModel({
    producer: { name: 'kedge', version: KEDGE_VERSION },
    inputs: [{ name: names.input, type: 'float', dims: ['rows', columns] }],
    outputs: [{ name: names.output, type: 'float', dims: ['rows', 1] }],
    initializers,
    nodes,
  });
}
