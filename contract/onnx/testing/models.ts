import { type ElementName, type EncodeModel, type EncodeNode, type EncodeValue, encodeModel } from '../encode.ts';

/** Small models with names, for tests of every room. Each gives the bytes of model.onnx. */

export interface LinearOptions extends Partial<Pick<EncodeModel, 'irVersion' | 'opsets' | 'metadata'>> {
  /** One row for each feature, one column for each answer. Default: [[2], [3]]. */
  weights?: readonly (readonly number[])[];
  /** One for each answer. Default: 1 each. */
  bias?: readonly number[];
  input?: string;
  output?: string;
  /** First dimension: a symbol is free. Default 'N'. */
  rows?: number | string | null;
}

/** y = x W + b over FP32. By default two features and one answer: y = 2 a + 3 b + 1. */
export function linearModel(options: LinearOptions = {}): Uint8Array {
  const { weights = [[2], [3]], input = 'x', output = 'y', rows = 'N', irVersion = 8, opsets = { '': 15 } } = options;
  const columns = weights[0]!.length;
  const bias = options.bias ?? new Array<number>(columns).fill(1);
  return encodeModel({
    irVersion,
    opsets,
    producer: { name: 'kedge', version: '1' },
    ...(options.metadata ? { metadata: options.metadata } : {}),
    inputs: [{ name: input, type: 'float', dims: [rows, weights.length] }],
    outputs: [{ name: output, type: 'float', dims: [rows, columns] }],
    nodes: [{ type: 'Gemm', inputs: [input, 'W', 'b'], outputs: [output] }],
    initializers: [
      { name: 'W', type: 'float', dims: [weights.length, columns], data: weights.flat() },
      { name: 'b', type: 'float', dims: [columns], data: bias },
    ],
  });
}

/** Gives each element back. */
export function identityModel(
  options: { type?: ElementName; dims?: EncodeValue['dims']; input?: string; output?: string } = {},
): Uint8Array {
  const { type = 'float', dims = ['N'], input = 'x', output = 'y' } = options;
  return nodesModel({
    inputs: [{ name: input, type, dims }],
    outputs: [{ name: output, type, dims }],
    nodes: [{ type: 'Identity', inputs: [input], outputs: [output] }],
  });
}

/** One output for each operator applied to the input: many outputs, or an operator that no runtime has. */
export function nodesModel(model: EncodeModel): Uint8Array {
  return encodeModel({ irVersion: 8, opsets: { '': 15 }, ...model });
}

const CONDITION: EncodeNode = {
  type: 'Identity',
  inputs: ['going'],
  outputs: ['go-on'],
};

/** y = x after a Loop of as many steps as `steps` says: 2^62 by default, so that its first run never ends. */
export function endlessLoop(options: { steps?: bigint } = {}): Uint8Array {
  return loopModel({ initializers: [{ name: 'steps', type: 'int64', dims: [], data: [options.steps ?? 1n << 62n] }] });
}

/** y = x after a Loop of as many steps as the INT64 input `steps` [1] says: harmless or endless, as the request wills. */
export function loopByRequest(): Uint8Array {
  return loopModel({ inputs: [{ name: 'steps', type: 'int64', dims: [1] }] });
}

function loopModel(part: Pick<EncodeModel, 'inputs' | 'initializers'>): Uint8Array {
  return nodesModel({
    inputs: [{ name: 'x', type: 'float', dims: ['N', 3] }, ...(part.inputs ?? [])],
    outputs: [{ name: 'y', type: 'float', dims: ['N', 3] }],
    initializers: [{ name: 'true', type: 'bool', dims: [], data: [true] }, ...(part.initializers ?? [])],
    nodes: [
      {
        type: 'Loop',
        inputs: ['steps', 'true', 'x'],
        outputs: ['y'],
        attributes: {
          body: {
            graph: {
              inputs: [
                { name: 'step', type: 'int64', dims: [] },
                { name: 'going', type: 'bool', dims: [] },
                { name: 'before', type: 'float', dims: ['N', 3] },
              ],
              outputs: [
                { name: 'go-on', type: 'bool', dims: [] },
                { name: 'after', type: 'float', dims: ['N', 3] },
              ],
              nodes: [CONDITION, { type: 'Neg', inputs: ['before'], outputs: ['after'] }],
            },
          },
        },
      },
    ],
  });
}

/** q = a / b over INT64 [N]: the smallest integer divided by -1 kills the process that runs it. */
export function integerDivision(): Uint8Array {
  return nodesModel({
    inputs: [
      { name: 'a', type: 'int64', dims: ['N'] },
      { name: 'b', type: 'int64', dims: ['N'] },
    ],
    outputs: [{ name: 'q', type: 'int64', dims: ['N'] }],
    nodes: [{ type: 'Div', inputs: ['a', 'b'], outputs: ['q'] }],
  });
}

/** A float tensor of as many zeros as the INT64 input `n` [1] says: takes any amount of memory. */
export function allocation(): Uint8Array {
  return nodesModel({
    inputs: [{ name: 'n', type: 'int64', dims: [1] }],
    outputs: [{ name: 'sum', type: 'float', dims: [] }],
    nodes: [
      { type: 'ConstantOfShape', inputs: ['n'], outputs: ['zeros'] },
      { type: 'ReduceSum', inputs: ['zeros'], outputs: ['sum'], attributes: { keepdims: { int: 0 } } },
    ],
  });
}

/** The linear model with its weights in `location`, which the caller writes: 2 floats for W, then 1 for b. */
export function externalModel(options: { location?: string; length?: number } = {}): Uint8Array {
  const { location = 'weights.bin', length = 8 } = options;
  return nodesModel({
    inputs: [{ name: 'x', type: 'float', dims: ['N', 2] }],
    outputs: [{ name: 'y', type: 'float', dims: ['N', 1] }],
    nodes: [{ type: 'Gemm', inputs: ['x', 'W', 'b'], outputs: ['y'] }],
    initializers: [
      { name: 'W', type: 'float', dims: [length / 4, 1], external: { location, offset: 0, length } },
      { name: 'b', type: 'float', dims: [1], external: { location, offset: length, length: 4 } },
    ],
  });
}

/** A label and, as a sequence of maps, the probabilities: the second output is no tensor. */
export function zipMapModel(): Uint8Array {
  return nodesModel({
    opsets: { '': 15, 'ai.onnx.ml': 1 },
    inputs: [{ name: 'p', type: 'float', dims: ['N', 2] }],
    outputs: [
      { name: 'same', type: 'float', dims: ['N', 2] },
      { name: 'maps', type: 'seq(map(int64,tensor(float)))' },
    ],
    nodes: [
      { type: 'Identity', inputs: ['p'], outputs: ['same'] },
      {
        type: 'ZipMap',
        domain: 'ai.onnx.ml',
        inputs: ['p'],
        outputs: ['maps'],
        attributes: { classlabels_int64s: { ints: [0, 1] } },
      },
    ],
  });
}

/** y = x * scale, where `scale` is an input with the default 2. */
export function defaultedInput(): Uint8Array {
  return nodesModel({
    inputs: [
      { name: 'x', type: 'float', dims: ['N', 2] },
      { name: 'scale', type: 'float', dims: [1] },
    ],
    outputs: [{ name: 'y', type: 'float', dims: ['N', 2] }],
    nodes: [{ type: 'Mul', inputs: ['x', 'scale'], outputs: ['y'] }],
    initializers: [{ name: 'scale', type: 'float', dims: [1], data: [2] }],
  });
}

/** `depth` model-local functions, each calling the one before it `calls` times. */
export function functionTower(options: { depth: number; calls?: number }): Uint8Array {
  const { depth, calls = 1 } = options;
  const domain = 'local';
  return nodesModel({
    opsets: { '': 15, [domain]: 1 },
    inputs: [{ name: 'x', type: 'float', dims: ['N'] }],
    outputs: [{ name: 'y', type: 'float', dims: ['N'] }],
    nodes: [{ type: `f${depth - 1}`, domain, inputs: ['x'], outputs: ['y'] }],
    functions: Array.from({ length: depth }, (_, level) => ({
      domain,
      name: `f${level}`,
      inputs: ['x0'],
      outputs: [level === 0 ? 'x1' : `x${calls}`],
      opsets: { '': 15, [domain]: 1 },
      nodes:
        level === 0
          ? [{ type: 'Neg', inputs: ['x0'], outputs: ['x1'] }]
          : Array.from({ length: calls }, (_, call) => ({
              type: `f${level - 1}`,
              domain,
              inputs: [`x${call}`],
              outputs: [`x${call + 1}`],
            })),
    })),
  });
}

/** If within If, `depth` times. */
export function nestedIfs(depth: number): Uint8Array {
  const dims = ['N'];
  const branch = (level: number, output: string): { graph: EncodeModel } => ({
    graph: { outputs: [{ name: output, type: 'float', dims }], nodes: [body(level, output)] },
  });
  const body = (level: number, output: string): EncodeNode =>
    level === 0
      ? { type: 'Neg', inputs: ['x'], outputs: [output] }
      : {
          type: 'If',
          inputs: ['c'],
          outputs: [output],
          attributes: { then_branch: branch(level - 1, `t${level}`), else_branch: branch(0, `e${level}`) },
        };
  return nodesModel({
    inputs: [
      { name: 'x', type: 'float', dims },
      { name: 'c', type: 'bool', dims: [] },
    ],
    outputs: [{ name: 'y', type: 'float', dims }],
    nodes: [body(depth, 'y')],
  });
}
