import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { type ElementName, encodeModel } from './encode.ts';
import {
  defaultedInput,
  functionTower,
  identityModel,
  linearModel,
  loopByRequest,
  nestedIfs,
} from './testing/models.ts';

const load = (bytes: Uint8Array): Promise<InferenceSession> =>
  InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 4 });

it('writes a linear model that the runtime computes', async () => {
  const session = await load(
    linearModel({
      weights: [
        [2, 0.5],
        [3, -1],
      ],
      bias: [1, 0],
    }),
  );
  const { y } = await session.run({ x: new Tensor('float32', [1, 10, 0, 1], [2, 2]) });
  expect([...(y!.data as Float32Array)]).toEqual([33, -9.5, 4, -1]);
});

const VALUES: [ElementName, readonly (number | bigint | boolean | string)[]][] = [
  ['float', [1.5, -2]],
  ['double', [1.5, -2]],
  ['int8', [-128, 127]],
  ['uint8', [0, 255]],
  ['int16', [-32768, 32767]],
  ['uint16', [0, 65535]],
  ['int32', [-2147483648, 7]],
  ['uint32', [0, 4294967295]],
  ['int64', [-9223372036854775808n, 9007199254740993n]],
  ['uint64', [0n, 18446744073709551615n]],
  ['bool', [true, false]],
  ['string', ['a', 'größer']],
];

describe.each([false, true])('constants, typed fields: %s', (typed) => {
  it.each(VALUES)('%s', async (type, data) => {
    const session = await load(
      encodeModel({
        outputs: [{ name: 'y', type, dims: [2] }],
        nodes: [{ type: 'Identity', inputs: ['c'], outputs: ['y'] }],
        initializers: [{ name: 'c', type, dims: [2], data, typed }],
      }),
    );
    const { y } = await session.run({});
    expect([...(y!.data as Iterable<unknown>)]).toEqual(type === 'bool' ? [1, 0] : data);
  });

  it('float16', async () => {
    const session = await load(
      encodeModel({
        outputs: [{ name: 'y', type: 'float', dims: [2] }],
        nodes: [{ type: 'Cast', inputs: ['c'], outputs: ['y'], attributes: { to: { int: 1 } } }],
        initializers: [{ name: 'c', type: 'float16', dims: [2], data: [0.5, -65504], typed }],
      }),
    );
    expect([...((await session.run({}))['y']!.data as Float32Array)]).toEqual([0.5, -65504]);
  });
});

it('writes attributes of every kind', async () => {
  const session = await load(
    encodeModel({
      opsets: { '': 15, 'ai.onnx.ml': 3 },
      inputs: [{ name: 'x', type: 'string', dims: ['N'] }],
      outputs: [
        { name: 'codes', type: 'int64', dims: ['N'] },
        { name: 'scaled', type: 'float', dims: ['N', 2] },
        { name: 'constant', type: 'double', dims: [1] },
      ],
      nodes: [
        {
          type: 'LabelEncoder',
          domain: 'ai.onnx.ml',
          inputs: ['x'],
          outputs: ['codes'],
          attributes: {
            keys_strings: { strings: ['é', 'b'] },
            values_int64s: { ints: [4, -5] },
            default_int64: { int: -1 },
          },
        },
        { type: 'Constant', outputs: ['pair'], attributes: { value_floats: { floats: [1, 2] } } },
        {
          type: 'Scaler',
          domain: 'ai.onnx.ml',
          inputs: ['pair'],
          outputs: ['flat'],
          attributes: { scale: { floats: [10] }, offset: { floats: [1] } },
        },
        { type: 'Elu', inputs: ['flat'], outputs: ['scaled'], attributes: { alpha: { float: 0.5 } } },
        {
          type: 'Constant',
          outputs: ['constant'],
          attributes: { value: { tensor: { type: 'double', dims: [1], data: [0.25] } } },
        },
      ],
    }),
  );
  const results = await session.run({ x: new Tensor('string', ['b', 'é', '?'], [3]) });
  expect([...(results['codes']!.data as BigInt64Array)]).toEqual([-5n, 4n, -1n]);
  expect([...(results['scaled']!.data as Float32Array)]).toEqual([0, 10]);
  expect([...(results['constant']!.data as Float64Array)]).toEqual([0.25]);
});

it('writes graphs within graphs, and functions', async () => {
  const x = new Tensor('float32', [1, 2, 3], [1, 3]);
  const steps = new Tensor('int64', [3n], [1]);
  const loop = await load(loopByRequest());
  expect([...((await loop.run({ x, steps }))['y']!.data as Float32Array)]).toEqual([-1, -2, -3]);
  const ifs = await load(nestedIfs(5));
  const flat = new Tensor('float32', [4], [1]);
  expect([...((await ifs.run({ x: flat, c: new Tensor('bool', [1], []) }))['y']!.data as Float32Array)]).toEqual([-4]);
  const tower = await load(functionTower({ depth: 3, calls: 3 }));
  expect([...((await tower.run({ x: flat }))['y']!.data as Float32Array)]).toEqual([-4]);
});

it('writes inputs with defaults, symbols and fixed dimensions', async () => {
  expect((await load(defaultedInput())).inputNames).toEqual(['x']);
  const session = await load(identityModel({ dims: ['N', 3, null] }));
  expect(session.inputMetadata[0]).toMatchObject({ name: 'x', type: 'float32', shape: ['N', 3, ''] });
});
