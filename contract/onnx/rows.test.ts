import { readFile } from 'node:fs/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { sharedModels } from '../../tests/shared.ts';
import { type EncodeAttribute, type EncodeModel, type EncodeNode, encodeModel } from './encode.ts';
import { readHeadOfBytes } from './head.ts';
import { rowsIndependent } from './rows.ts';
import { defaultedInput, functionTower, linearModel, loopByRequest, zipMapModel } from './testing/models.ts';

function judge(bytes: Uint8Array): { independent: boolean; because: string } {
  const result = readHeadOfBytes(bytes);
  if (!result.ok) throw new Error(result.refusals[0]!.message);
  return rowsIndependent(result.head);
}

const int64 = (name: string, ...data: number[]) => ({ name, type: 'int64' as const, dims: [data.length], data });
const float = (name: string, dims: number[]) => {
  const count = dims.reduce((total, dim) => total * dim, 1);
  return { name, type: 'float' as const, dims, data: Array.from({ length: count }, (_, index) => (index % 5) - 1.5) };
};

/** Shapes of one row of the inputs. */
const ROWS = { x: [4], z: [4], v: [], t: [2, 3, 3] } as const;
const WEIGHTS = [
  float('w44', [4, 4]),
  float('w4', [4]),
  float('w1', [1]),
  float('w14', [1, 4]),
  float('w34', [3, 4]),
  float('w3', [3]),
  float('w23', [2, 3, 3]),
  float('s', []),
  float('b2', [2]),
  { name: 'p2', type: 'float' as const, dims: [2], data: [1, 4] },
  float('k', [2, 2, 2, 2]),
  float('table', [5, 3]),
  float('stack', [2, 4, 3]),
  int64('zero', 0),
  int64('one', 1),
  int64('two', 2),
  int64('minus', -1),
  int64('max', 2 ** 31),
  int64('0,-1', 0, -1),
  int64('-1,2,2', -1, 2, 2),
  int64('-1,2', -1, 2),
  int64('1,2,-1', 1, 2, -1),
  int64('1,2', 1, 2),
  int64('2,1', 2, 1),
  int64('1,4', 1, 4),
  int64('3,1,4', 3, 1, 4),
  int64('0,2', 0, 2),
];

/** `Type(input, input; attribute=value)`, one node a line; the last one makes the output. */
function nodesOf(text: string): EncodeNode[] {
  return text.split(' -> ').map((call, index, all) => {
    const [, domain, type, inside] = /^(\w+:)?(\w+)\((.*)\)$/.exec(call)!;
    const [inputs, attributes = ''] = inside!.split('; ');
    return {
      type: type!,
      ...(domain ? { domain: 'ai.onnx.ml' } : {}),
      inputs: inputs === '' ? [] : inputs!.split(' ').map((name) => (name === '_' ? '' : name)),
      outputs: [index === all.length - 1 ? 'out' : `n${index}`, ...(type === 'TopK' ? ['places'] : [])],
      attributes: Object.fromEntries(attributes.split(' ').filter(Boolean).map(attributeOf)),
    };
  });
}

function attributeOf(text: string): [string, EncodeAttribute] {
  const [name, value] = text.split('=') as [string, string];
  if (value.startsWith('[')) return [name, { ints: JSON.parse(value) as number[] }];
  if (value.startsWith('f[')) return [name, { floats: JSON.parse(value.slice(1)) as number[] }];
  return [name, { int: Number(value) }];
}

function modelOf(text: string, part: Partial<EncodeModel> = {}): Uint8Array {
  const nodes = nodesOf(text);
  const used = new Set(nodes.flatMap(({ inputs }) => inputs!));
  return encodeModel({
    irVersion: 9,
    opsets: { '': 18, 'ai.onnx.ml': 3 },
    inputs: Object.entries(ROWS)
      .filter(([name]) => used.has(name))
      .map(([name, dims]) => ({ name, type: 'float', dims: ['N', ...dims] })),
    outputs: [{ name: 'out', ...(part.outputs?.[0] ?? { type: 'float' }) }],
    nodes,
    initializers: WEIGHTS.filter(({ name }) => used.has(name)),
    ...(part.opsets ? { opsets: part.opsets } : {}),
  });
}

/** Answers for three rows together and one by one. The second row is a thousand times the others, so that what mixes shows. */
async function answers(bytes: Uint8Array): Promise<{ merged: number[]; alone: number[] }> {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const run = async (first: number, count: number): Promise<number[]> => {
    const feeds = session.inputNames.map((name): [string, Tensor] => {
      const dims = ROWS[name as keyof typeof ROWS];
      const size = dims.reduce<number>((total, dim) => total * dim, 1);
      const data = Float32Array.from({ length: size * count }, (_, index) => {
        const row = first + Math.floor(index / size);
        return Math.sin(index % size) * 2 + row + (row === 1 ? 1000 : 0);
      });
      return [name, new Tensor('float32', data, [count, ...dims])];
    });
    const { out } = await session.run(Object.fromEntries(feeds));
    expect(out!.dims[0]).toBe(count);
    return Array.from(out!.data as Float32Array, Number);
  };
  try {
    return { merged: await run(0, 3), alone: [...(await run(0, 1)), ...(await run(1, 1)), ...(await run(2, 1))] };
  } finally {
    await session.release();
  }
}

describe('is proved, and the runtime agrees', () => {
  it.each([
    'Relu(x)',
    'Clip(x s)',
    'Add(x z)',
    'Add(x w4)',
    'Mul(x w14)',
    'Sub(x s)',
    'Max(x z w1)',
    'Add(v w1)',
    'Unsqueeze(v one) -> Mul(n0 x)',
    'Add(t w23)',
    'Softmax(x)',
    'Softmax(x; axis=1)',
    'LogSoftmax(t; axis=2)',
    'LpNormalization(x; axis=1)',
    'LayerNormalization(x w4 w4)',
    'LayerNormalization(t w3 w3; axis=-1)',
    'BatchNormalization(t b2 b2 b2 p2)',
    'MeanVarianceNormalization(t; axes=[1,2,3])',
    'ReduceMean(x one)',
    'ReduceSum(t 1,2; keepdims=0)',
    'ReduceMax(x minus; keepdims=0)',
    'ReduceSum(x; noop_with_empty_axes=1)',
    'ArgMax(x; axis=1 keepdims=0) -> Cast(n0; to=1)',
    'CumSum(x one)',
    'MatMul(x w44)',
    'MatMul(x w4)',
    'MatMul(t w3)',
    'MatMul(x stack) -> Transpose(n0; perm=[1,0,2])',
    'Transpose(t; perm=[0,1,3,2]) -> MatMul(t n0)',
    'Gemm(x w44 w4)',
    'Gemm(x w44 z)',
    'Gemm(x w44 w14; transB=1)',
    'Transpose(x) -> Gemm(n0 w44; transA=1)',
    'Conv(t k b2)',
    'MaxPool(t; kernel_shape=[2,2])',
    'AveragePool(t; kernel_shape=[2,2] pads=[1,1,1,1])',
    'GlobalAveragePool(t)',
    'Flatten(t)',
    'Reshape(x 0,-1)',
    'Reshape(x -1,2,2)',
    'Transpose(t; perm=[1,0,2,3]) -> Transpose(n0; perm=[1,0,2,3])',
    'Transpose(x) -> Add(n0 n0) -> Transpose(n1)',
    'Unsqueeze(x zero) -> Squeeze(n0 zero)',
    'Unsqueeze(x one) -> Squeeze(n0 one)',
    'Concat(x z; axis=1)',
    'Concat(x z x; axis=-1)',
    'Slice(x zero two one)',
    'Slice(x zero two minus)',
    'Split(x; axis=1 num_outputs=1)',
    'Gather(x 2,1; axis=1)',
    'Gather(x one; axis=-1)',
    'ArgMax(x; axis=1 keepdims=0) -> Gather(table n0)',
    'ArgMax(x; axis=1) -> Gather(table n0; axis=0)',
    'ArgMax(x; axis=1) -> GatherElements(x n0; axis=1)',
    'Expand(x 1,4)',
    'Tile(x 1,2)',
    'TopK(x two)',
    'ml:Scaler(x; offset=f[1,2,3,4] scale=f[1,2,3,4])',
    'ml:Normalizer(x)',
    'ml:Imputer(x; imputed_value_floats=f[1])',
    'ml:Binarizer(x)',
    'ml:ArrayFeatureExtractor(x 2,1)',
    'ml:LinearRegressor(x; coefficients=f[1,2,3,4] intercepts=f[1])',
  ])('%s', async (text) => {
    const bytes = modelOf(text);
    expect(judge(bytes)).toEqual({ independent: true, because: 'Every operator keeps the rows apart.' });
    const { merged, alone } = await answers(bytes);
    expect(merged).toHaveLength(alone.length);
    merged.forEach((value, index) => {
      expect(Math.abs(value - alone[index]!)).toBeLessThanOrEqual(1e-4 + 1e-4 * Math.abs(alone[index]!));
    });
  });
});

describe('is not proved', () => {
  it.each([
    ['a mean over the rows', 'ReduceMean(x zero) -> Sub(x n0)'],
    ['a mean over everything', 'ReduceMean(x) -> Sub(x n0)'],
    ['one row more', 'Add(v w3)'],
    ['a constant of three rows', 'Add(x w34)'],
    ['rows against rows', 'Unsqueeze(v one) -> Add(n0 v)'],
    ['rows at two places', 'Add(x v)'],
    ['softmax over the rows', 'Softmax(v)'],
    ['softmax over the rows, named', 'Softmax(x; axis=0)'],
    ['a norm over the rows', 'LpNormalization(x; axis=0)'],
    ['means over the rows', 'MeanVarianceNormalization(t)'],
    ['a sum along the rows', 'CumSum(x zero)'],
    ['a product with the transposed', 'Transpose(x) -> MatMul(x n0)'],
    ['rows that are summed over', 'Transpose(x) -> MatMul(n0 x)'],
    ['rows on the right', 'MatMul(w34 x)'],
    ['a bias of three rows', 'Gemm(x w44 w34)'],
    ['a bias by row as columns', 'Gemm(x w44 v)'],
    ['a reshape to one row', 'Reshape(x 1,2,-1)'],
    ['a reshape that halves rows', 'Reshape(x -1,2)'],
    ['everything in one row', 'Flatten(x; axis=0)'],
    ['a flatten that takes channels to rows', 'Flatten(t; axis=2)'],
    ['rows that became columns', 'Transpose(x)'],
    ['a squeeze of whatever is one', 'Unsqueeze(x one) -> Squeeze(n0)'],
    ['twice as many rows', 'Concat(x z; axis=0)'],
    ['a constant among the rows', 'Concat(x w34; axis=1)'],
    ['the first row', 'Slice(x zero one zero)'],
    ['rows by number', 'Gather(x zero)'],
    ['rows by their values', 'ArgMax(x; axis=1 keepdims=0) -> Gather(x n0)'],
    ['elements along the rows', 'ArgMax(x; axis=0) -> GatherElements(x n0)'],
    ['each row twice', 'Tile(x 2,1)'],
    ['three rows out of one', 'Expand(x 3,1,4)'],
    ['the number of rows', 'Shape(x) -> Cast(n0; to=1)'],
    ['a scale for all rows', 'DynamicQuantizeLinear(x)'],
    ['the largest of the rows', 'TopK(x two; axis=0)'],
    ['a vector, which ai.onnx.ml takes for a row', 'ml:Scaler(v; offset=f[1] scale=f[1])'],
    ['training', 'BatchNormalization(t b2 b2 b2 b2; training_mode=1)'],
    ['what is the same for all', 'Identity(w4) -> Relu(n0)'],
  ])('%s: %s', (_, text) => expect(judge(modelOf(text)).independent).toBe(false));

  it('softmax of opset 12 takes everything from its axis on', () => {
    const opsets = { '': 12 };
    expect(judge(modelOf('Softmax(t; axis=1)', { opsets })).independent).toBe(true);
    expect(judge(modelOf('Softmax(t; axis=0)', { opsets })).independent).toBe(false);
    const turned = 'Transpose(t; perm=[1,0,2,3]) -> Softmax(n0; axis=0) -> Transpose(n1; perm=[1,0,2,3])';
    expect(judge(modelOf(turned, { opsets })).independent).toBe(false);
    expect(judge(modelOf(turned)).independent).toBe(true);
  });

  it('indices that a pool counts through all rows', () => {
    const bytes = encodeModel({
      inputs: [{ name: 't', type: 'float', dims: ['N', 2, 3, 3] }],
      outputs: [
        { name: 'y', type: 'float' },
        { name: 'at', type: 'int64' },
      ],
      nodes: [{ type: 'MaxPool', inputs: ['t'], outputs: ['y', 'at'], attributes: { kernel_shape: { ints: [2, 2] } } }],
    });
    expect(judge(bytes)).toEqual({
      independent: false,
      because: "ai.onnx:MaxPool, which makes 'at', is not proved to keep the rows apart.",
    });
  });
});

it.each([
  ['a linear model', linearModel(), true, /keeps the rows apart/],
  ['a default that a request may replace', defaultedInput(), true, /keeps/],
  ['a fixed first dimension', linearModel({ rows: 4 }), false, /Input 'x' has no free first dimension/],
  ['an output that is no tensor', zipMapModel(), false, /Output 'maps' is no tensor/],
  ['a loop', loopByRequest(), false, /Input 'steps' has no free first dimension/],
  ['a function, whatever it holds', functionTower({ depth: 1 }), false, /local:f0/],
])('%s', (_, bytes, independent, because) => {
  const judged = judge(bytes);
  expect(judged.independent).toBe(independent);
  expect(judged.because).toMatch(because);
});

describe.skipIf(!sharedModels)('real exports (left out without ../shared)', () => {
  /** Rows are apart in truth, but a loop, a recurrence or the words of a text prove nothing. */
  const UNPROVED = ['tickets-tfidf', 'waves-gru', 'collatz-loop'];
  it.each(sharedModels?.good ?? [])('$name', async ({ name, dir, batchable }) => {
    const { independent } = judge(await readFile(`${sharedModels!.dir}/${dir}/model.onnx`));
    expect(independent).toBe(batchable && !UNPROVED.includes(name));
  });

  it('a batch that was traced away', async () =>
    expect(judge(await readFile(`${sharedModels!.dir}/bad/traced-batch/model.onnx`)).independent).toBe(false));
});
