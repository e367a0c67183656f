import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sharedModels } from '../../tests/shared.ts';
import { signatureOf } from '../manifest-of.ts';
import { type EncodeModel, type EncodeValue, encodeModel } from './encode.ts';
import type { OnnxHead } from './graph.ts';
import { readHeadOfBytes } from './head.ts';
import { defaultedInput, functionTower, linearModel, nestedIfs, nodesModel, zipMapModel } from './testing/models.ts';

function headOf(bytes: Uint8Array): OnnxHead {
  const result = readHeadOfBytes(bytes);
  if (!result.ok) throw new Error(result.refusals[0]!.message);
  return result.head;
}

const X: EncodeValue = { name: 'x', type: 'float', dims: ['N', 3] };
const model = (part: Partial<EncodeModel>): OnnxHead =>
  headOf(
    encodeModel({
      inputs: [X],
      outputs: [{ name: 'y' }],
      nodes: [{ type: 'Neg', inputs: ['x'], outputs: ['y'] }],
      ...part,
    }),
  );

it('tells versions, producer, metadata, ends and operators', () => {
  const bytes = linearModel({
    irVersion: 9,
    opsets: { '': 17, 'ai.onnx.ml': 3 },
    metadata: { note: 'größer', empty: '' },
  });
  const head = headOf(bytes);
  expect(head).toMatchObject({ bytes: bytes.length, irVersion: 9, producer: { name: 'kedge', version: '1' } });
  expect([...head.opsets]).toEqual([
    ['', 17],
    ['ai.onnx.ml', 3],
  ]);
  expect([...head.metadata]).toEqual([
    ['note', 'größer'],
    ['empty', ''],
  ]);
  expect(head.inputs).toEqual([
    { name: 'x', type: 'tensor(float)', datatype: 'FP32', dims: ['N', 2], optional: false },
  ]);
  expect(head.outputs).toEqual([{ name: 'y', type: 'tensor(float)', datatype: 'FP32', dims: ['N', 1] }]);
  expect(head.operators).toEqual([{ domain: '', type: 'Gemm', count: 1 }]);
});

it('knows that ai.onnx is the default domain, and takes the newer of two opsets of one domain', () => {
  const head = model({
    opsets: { 'ai.onnx': 12, '': 11 },
    nodes: [{ type: 'Neg', domain: 'ai.onnx', inputs: ['x'], outputs: ['y'] }],
  });
  expect([...head.opsets]).toEqual([['', 12]]);
  expect(head.operators).toEqual([{ domain: '', type: 'Neg', count: 1 }]);
});

it('keeps names that objects lose', () => {
  const opsets = JSON.parse('{"": 15, "__proto__": 7}');
  const head = model({ opsets, inputs: [{ ...X, name: '__proto__' }], metadata: JSON.parse('{"__proto__": "kept"}') });
  expect(head.opsets.get('__proto__')).toBe(7);
  expect(head.metadata.get('__proto__')).toBe('kept');
  expect(head.inputs[0]!.name).toBe('__proto__');
});

describe('inputs with initializers', () => {
  it('are optional since IR version 4', () => {
    const head = headOf(defaultedInput());
    expect(head.inputs.map(({ name, optional }) => [name, optional])).toEqual([
      ['x', false],
      ['scale', true],
    ]);
  });

  it('are no inputs before', () =>
    expect(
      model({
        irVersion: 3,
        inputs: [X, { name: 'w', type: 'float', dims: [3] }],
        initializers: [{ name: 'w', type: 'float', dims: [3], data: [1, 2, 3] }],
      }).inputs.map(({ name }) => name),
    ).toEqual(['x']));
});

describe('types', () => {
  it.each([
    ['float', 'FP32'],
    ['double', 'FP64'],
    ['float16', 'FP16'],
    ['int8', 'INT8'],
    ['int16', 'INT16'],
    ['int32', 'INT32'],
    ['int64', 'INT64'],
    ['uint8', 'UINT8'],
    ['uint16', 'UINT16'],
    ['uint32', 'UINT32'],
    ['uint64', 'UINT64'],
    ['bool', 'BOOL'],
    ['string', 'BYTES'],
    ['bfloat16', undefined],
  ] as const)('%s is %s', (type, datatype) => {
    const [input] = model({ inputs: [{ name: 'x', type, dims: [null, 2, 'd', 0] }] }).inputs;
    expect(input).toMatchObject({ type: `tensor(${type})`, dims: [undefined, 2, 'd', 0] });
    expect(input!.datatype).toBe(datatype);
  });

  it.each([
    'seq(map(int64,tensor(float)))',
    'map(string,tensor(double))',
    'optional(seq(tensor(int8)))',
    'seq(tensor(string))',
  ] as const)('%s has the name that the runtime gives it', (type) => {
    const [, output] = model({ outputs: [{ name: 'y' }, { name: 'z', type }] }).outputs;
    expect(output).toEqual({ name: 'z', type });
  });

  it('tells a scalar from a tensor without a shape, and both from a value without a type', () => {
    const [scalar, shapeless, typeless] = model({
      outputs: [{ name: 'a', type: 'float', dims: [] }, { name: 'b', type: 'float' }, { name: 'c' }],
    }).outputs;
    expect(scalar!.dims).toEqual([]);
    expect(shapeless).toEqual({ name: 'b', type: 'tensor(float)', datatype: 'FP32' });
    expect(typeless).toEqual({ name: 'c', type: '' });
  });

  it('takes negative dimensions as free ones, as the runtime does', () =>
    expect(model({ inputs: [{ name: 'x', type: 'float', dims: [-1, -5] }] }).inputs[0]!.dims).toEqual([
      undefined,
      undefined,
    ]));
});

describe('operators', () => {
  it('are found in branches and functions; calls of functions are none', () => {
    expect(headOf(nestedIfs(2)).operators).toEqual([
      { domain: '', type: 'If', count: 2 },
      { domain: '', type: 'Neg', count: 3 },
    ]);
    expect(headOf(functionTower({ depth: 3, calls: 2 })).operators).toEqual([{ domain: '', type: 'Neg', count: 1 }]);
  });

  it('keep what tells one use from another', () => {
    const [node] = model({
      nodes: [
        {
          type: 'Some',
          domain: 'd',
          inputs: ['x', '', 'z'],
          outputs: ['y'],
          overload: 'o',
          attributes: {
            i: { int: -1 },
            f: { float: 0.5 },
            s: { string: 'text' },
            ints: { ints: [1, -2] },
            floats: { floats: [1, 2, 3] },
            strings: { strings: ['a', 'b'] },
            many: { ints: Array.from({ length: 100 }, (_, index) => index) },
            r: { ref: 'outer', kind: 2 },
            t: { tensor: { type: 'int32', dims: [2], data: [7, -8] } },
          },
        },
      ],
    }).graph.nodes;
    expect(node).toMatchObject({ type: 'Some', domain: 'd', overload: 'o', inputs: ['x', '', 'z'], outputs: ['y'] });
    const { t, ...rest } = Object.fromEntries(node!.attributes);
    expect(rest).toEqual({
      i: { int: -1n },
      f: { float: 0.5 },
      s: { text: 'text' },
      ints: { count: 2, ints: [1n, -2n] },
      floats: { count: 3 },
      strings: { count: 2 },
      many: { count: 100 },
      r: { ref: 'outer' },
    });
    expect(t).toMatchObject({ tensor: { elementType: 6, dims: [2n], ints: [7n, -8n] } });
  });
});

describe('functions', () => {
  it.each([
    [{ depth: 1 }, { depth: 1, nodes: 1 }],
    [{ depth: 40 }, { depth: 40, nodes: 1 }],
    [
      { depth: 31, calls: 2 },
      { depth: 31, nodes: 2 ** 30 },
    ],
    [
      { depth: 2000, calls: 3 },
      { depth: 2000, nodes: Number.POSITIVE_INFINITY },
    ],
  ])('%j comes to %j', (tower, calls) => expect(headOf(functionTower(tower)).calls).toEqual(calls));

  it('that call each other in a ring have no end', () => {
    const call = (name: string, type: string): NonNullable<EncodeModel['functions']>[number] => ({
      domain: 'd',
      name,
      inputs: ['a'],
      outputs: ['b'],
      nodes: [{ type, domain: 'd', inputs: ['a'], outputs: ['b'] }],
    });
    const ring = model({
      functions: [call('f', 'g'), call('g', 'f')],
      nodes: [{ type: 'f', domain: 'd', inputs: ['x'], outputs: ['y'] }],
    });
    expect(ring.calls).toEqual({ depth: Number.POSITIVE_INFINITY, nodes: Number.POSITIVE_INFINITY });
  });
});

describe('tensors', () => {
  const external = { location: 'weights.bin', offset: 16, length: 24 };

  it('in other files are found wherever they stand', () => {
    const outside = (name: string) => ({ name, type: 'float' as const, dims: [2, 3], external });
    const head = model({
      initializers: [outside('a')],
      sparseInitializers: [
        { values: outside('b'), indices: { type: 'int64', dims: [6], data: [0, 1, 2, 3, 4, 5] }, dims: [9] },
      ],
      nodes: [
        { type: 'Constant', outputs: ['c'], attributes: { value: { tensor: outside('c') } } },
        {
          type: 'Constant',
          outputs: ['d'],
          attributes: { sparse_value: { sparse: { values: outside('d'), indices: outside('e'), dims: [9] } } },
        },
        {
          type: 'If',
          inputs: ['x'],
          outputs: ['y'],
          attributes: { then_branch: { graph: { outputs: [], nodes: [], initializers: [outside('f')] } } },
        },
      ],
      functions: [
        {
          domain: 'd',
          name: 'fn',
          inputs: [],
          outputs: [],
          nodes: [{ type: 'Constant', outputs: ['g'], attributes: { value: { tensor: outside('g') } } }],
        },
      ],
    });
    expect(head.external.map(({ tensor }) => tensor).sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    expect(head.external[0]).toEqual({ tensor: 'c', location: 'weights.bin', offset: 16n, length: 24n, declared: 24n });
  });

  it('may leave out where in the other file they end', () => {
    const head = model({ initializers: [{ name: 'a', type: 'double', dims: [4], external: { location: 'w' } }] });
    expect(head.external).toEqual([{ tensor: 'a', location: 'w', offset: 0n, declared: 32n }]);
  });

  it.each([
    ['raw bytes', { type: 'float', dims: [3], data: [1, 2, 3] }],
    ['floats', { type: 'float', dims: [3], data: [1, 2, 3], typed: true }],
    ['doubles', { type: 'double', dims: [3], data: [1, 2, 3], typed: true }],
    ['packed integers', { type: 'int64', dims: [3], data: [1, -2, 3], typed: true }],
    ['half floats in integers', { type: 'float16', dims: [3], data: [1, 2, 3], typed: true }],
    ['texts', { type: 'string', dims: [3], data: ['a', '', 'c'] }],
    ['nothing, of which there is none', { type: 'float', dims: [0, 2 ** 60] }],
  ] as const)('that hold what they declare are fine: %s', (_, tensor) =>
    expect(model({ initializers: [{ name: 'w', ...tensor }] }).oversized).toEqual([]),
  );

  it.each([
    ['four terabytes', { type: 'float', dims: [2 ** 40] }, { declared: 2n ** 42n, held: 0n, unit: 'bytes' }],
    [
      'a product that would wrap',
      { type: 'int8', dims: [2n ** 62n, 4n] },
      { declared: 2n ** 64n, held: 0n, unit: 'bytes' },
    ],
    ['one element more', { type: 'int64', dims: [4], data: [1, 2, 3] }, { declared: 32n, held: 24n, unit: 'bytes' }],
    [
      'more texts',
      { type: 'string', dims: [2 ** 40], data: ['a'] },
      { declared: 2n ** 40n, held: 1n, unit: 'strings' },
    ],
  ] as const)('that declare more are told: %s', (_, tensor, told) => {
    const oversized = [{ tensor: 'w', sparse: false, ...told }];
    expect(model({ initializers: [{ name: 'w', ...tensor }] }).oversized).toEqual(oversized);
    const node = { type: 'Constant', outputs: ['y'], attributes: { value: { tensor: { name: 'w', ...tensor } } } };
    expect(model({ nodes: [node] }).oversized).toEqual(oversized);
  });

  it('bear a thousand hostile dimensions', () =>
    expect(
      readHeadOfBytes(
        nodesModel({
          outputs: [],
          nodes: [],
          initializers: [{ name: 'w', type: 'float', dims: new Array(1000).fill(2n ** 62n) }],
        }),
      ),
    ).toMatchObject({
      ok: false,
      refusals: [{ code: 'onnx-malformed' }],
    }));

  it('that are sparse may unfold into more than there is, up to what the runtime takes', () => {
    const sparse = (dims: number[]) => [
      {
        values: { name: 's', type: 'float' as const, dims: [1], data: [1] },
        indices: { type: 'int64' as const, dims: [1], data: [0] },
        dims,
      },
    ];
    expect(model({ sparseInitializers: sparse([1000]) }).oversized).toEqual([]);
    expect(model({ sparseInitializers: sparse([2 ** 20, 2 ** 20]) }).oversized).toMatchObject([
      { tensor: 's', declared: 2n ** 42n, sparse: true },
    ]);
  });

  it('of few integers are kept, however they are written', () => {
    const tensors = [false, true].flatMap((typed) =>
      (['int64', 'int32', 'int8', 'uint8'] as const).map((type) => ({
        name: `${type}${typed}`,
        type,
        dims: [3],
        data: [1, 0, 100],
        typed,
      })),
    );
    const { initializers } = model({
      initializers: [
        ...tensors,
        { name: 'negative', type: 'int16', dims: [2], data: [-1, -32768] },
        { name: 'scalar', type: 'int64', dims: [], data: [-9223372036854775808n] },
        { name: 'float', type: 'float', dims: [1], data: [1] },
        { name: 'long', type: 'int64', dims: [17], data: new Array(17).fill(1) },
        { name: 'longer', type: 'int64', dims: [17], data: new Array(17).fill(1), typed: true },
      ],
    }).graph;
    for (const { name } of tensors) expect([name, initializers.get(name)!.ints]).toEqual([name, [1n, 0n, 100n]]);
    expect(initializers.get('negative')!.ints).toEqual([-1n, -32768n]);
    expect(initializers.get('scalar')!.ints).toEqual([-9223372036854775808n]);
    for (const name of ['float', 'long', 'longer']) expect(initializers.get(name)!.ints).toBeUndefined();
  });
});

it('names outputs that are no tensors', () => {
  const signature = signatureOf(headOf(zipMapModel()));
  expect(signature.outputs.map(({ name }) => name)).toEqual(['same']);
  expect(signature.omittedOutputs).toEqual([{ name: 'maps', type: 'seq(map(int64,tensor(float)))' }]);
});

describe.skipIf(!sharedModels)('real exports (left out without ../shared)', () => {
  it.each(sharedModels?.good ?? [])('$name', ({ dir, onnx, signature }) => {
    const head = headOf(readFileSync(`${sharedModels!.dir}/${dir}/model.onnx`));
    expect(head.irVersion).toBe(onnx.irVersion);
    expect(Object.fromEntries(head.opsets)).toEqual(onnx.opsets);
    expect(`${head.producer.name} ${head.producer.version}`).toBe(onnx.producer);
    const { inputs, outputs, omittedOutputs = [] } = signatureOf(head);
    expect(inputs.filter(({ optional }) => !optional)).toEqual(signature.inputs);
    expect([...outputs, ...omittedOutputs.map(({ name, type }) => ({ name, datatype: type, shape: [] }))]).toEqual(
      signature.outputs,
    );
  });
});
