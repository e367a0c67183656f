import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ElementName, EncodeModel, EncodeValue } from '../contract/onnx/encode.ts';
import { defaultedInput, identityModel, nodesModel, zipMapModel } from '../contract/onnx/testing/models.ts';
import type { Tensor } from '../contract/tensor.ts';
import { MAX_DEFAULTS } from './defaults.ts';
import { engines } from './testing/engines.ts';
import { elements, tensor, versionOf } from './testing/versions.ts';

/** What the runtime's binding does oddly or wrongly, made right once. */
describe.each(engines)('%s engine', (_kind, create) => {
  const engine = create();
  afterAll(() => engine.close());

  const load = async (bytes: Uint8Array, files?: Record<string, Uint8Array>) => {
    const model = await engine.load(await versionOf(bytes, files));
    onTestFinished(() => model.release());
    return model;
  };

  it.each<[ElementName, Tensor]>([
    ['bool', tensor('BOOL', [2], [true, false])],
    ['uint8', tensor('UINT8', [2], [0, 255])],
    ['uint16', tensor('UINT16', [2], [0, 65535])],
    ['uint32', tensor('UINT32', [2], [0, 4294967295])],
    ['uint64', tensor('UINT64', [2], [9007199254740993n, 18446744073709551615n])],
    ['int8', tensor('INT8', [2], [-128, 127])],
    ['int16', tensor('INT16', [2], [-32768, 32767])],
    ['int32', tensor('INT32', [2], [-2147483648, 2147483647])],
    ['int64', tensor('INT64', [2], [-9223372036854775808n, 9007199254740993n])],
    ['float16', tensor('FP16', [4], [65504, Number.NaN, -Infinity, 0.1])],
    ['float', tensor('FP32', [3], [Number.NaN, Infinity, -0])],
    ['double', tensor('FP64', [2], [0.1, -Infinity])],
    ['string', tensor('BYTES', [3], ['', 'ü😀', '"'])],
  ])('%s comes through', async (type, x) => {
    const model = await load(identityModel({ type }));
    expect((await model.run(new Map([['x', x]]))).get('y')).toEqual(x);
  });

  it('half floats that lie in the middle of an array come through', async () => {
    const model = await load(identityModel({ type: 'float16' }));
    const data = Float16Array.of(9, 1, 2, 9).subarray(1, 3);
    expect(elements(await model.run(new Map([['x', { datatype: 'FP16', shape: [2], data }]])), 'y')).toEqual([1, 2]);
  });

  it('BOOL bytes other than 0 and 1 are true, and the request keeps its own', async () => {
    const model = await load(
      nodesModel({
        inputs: [{ name: 'x', type: 'bool', dims: ['N'] }],
        outputs: [{ name: 'y', type: 'bool', dims: ['N'] }],
        nodes: [{ type: 'Not', inputs: ['x'], outputs: ['y'] }],
      }),
    );
    const data = Uint8Array.of(0, 1, 2, 255);
    expect(elements(await model.run(new Map([['x', { datatype: 'BOOL', shape: [4], data }]])), 'y')).toEqual([
      1, 0, 0, 0,
    ]);
    expect([...data]).toEqual([0, 1, 2, 255]);
  });

  describe('strings', () => {
    const echo = async (...data: string[]) => {
      const model = await load(identityModel({ type: 'string' }));
      return elements(await model.run(new Map([['x', tensor('BYTES', [data.length], data)]])), 'y');
    };
    const all = Array.from({ length: 32 }, (_, index) => String.fromCharCode(0xfdd0 + index));

    it('keep what stands behind a NUL', async () =>
      expect(await echo('before\u0000after', '\u0000', '\ufdd0', '')).toEqual([
        'before\u0000after',
        '\u0000',
        '\ufdd0',
        '',
      ]));

    it('with every noncharacter come through without NUL, and are refused with it', async () => {
      expect(await echo(...all)).toEqual(all);
      await expect(echo(...all, '\u0000')).rejects.toMatchObject({ code: 'request-invalid' });
    });

    it('with half a surrogate pair are refused', () =>
      expect(echo('a\ud83d')).rejects.toMatchObject({ code: 'request-invalid' }));
  });

  it.each([
    ['__proto__', 'constructor'],
    ['constructor', 'toString'],
    ['hasOwnProperty', 'y'],
  ])('an input named %s and an output named %s are names like others', async (input, output) => {
    const model = await load(identityModel({ input, output }));
    expect(elements(await model.run(new Map([[input, tensor('FP32', [2], [1, 2])]])), output)).toEqual([1, 2]);
    await expect(model.run(new Map())).rejects.toThrow(`Input '${input}' is missing`);
  });

  it('an output named __proto__, which the binding loses, is refused at load', () =>
    expect(load(identityModel({ output: '__proto__' }))).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringMatching(/export it under another name/),
    }));

  it('outputs that are no tensors are left out', async () => {
    const model = await load(zipMapModel());
    const inputs = new Map([['p', tensor('FP32', [1, 2], [0.25, 0.75])]]);
    expect([...(await model.run(inputs)).keys()]).toEqual(['same']);
    await expect(model.run(inputs, ['maps'])).rejects.toThrow(
      "Output 'maps' is seq(map(int64,tensor(float))), which cannot be served: ask for 'same'.",
    );
  });

  describe('inputs with a default', () => {
    const x = tensor('FP32', [1, 2], [3, 4]);

    it('take the default or the value given', async () => {
      const model = await load(defaultedInput());
      expect(elements(await model.run(new Map([['x', x]])), 'y')).toEqual([6, 8]);
      const given = new Map([
        ['x', x],
        ['scale', tensor('FP32', [1], [10])],
      ]);
      expect(elements(await model.run(given), 'y')).toEqual([30, 40]);
      expect(elements(await model.run(new Map([['x', x]])), 'y')).toEqual([6, 8]);
    });

    it.each<[ElementName, NonNullable<EncodeModel['initializers']>[number], Tensor]>([
      [
        'int64',
        { name: 'd', type: 'int64', dims: [2], data: [-5, 2n ** 60n], typed: true },
        tensor('INT64', [2], [1, 2]),
      ],
      ['int32', { name: 'd', type: 'int32', dims: [2], data: [-5, 7], typed: true }, tensor('INT32', [2], [1, 2])],
      ['float16', { name: 'd', type: 'float16', dims: [2], data: [0.5, -2], typed: true }, tensor('FP16', [2], [1, 2])],
      [
        'bool',
        { name: 'd', type: 'bool', dims: [2], data: [true, false], typed: true },
        tensor('BOOL', [2], [false, true]),
      ],
      ['double', { name: 'd', type: 'double', dims: [2], data: [0.1, 2], typed: true }, tensor('FP64', [2], [1, 2])],
      [
        'uint64',
        { name: 'd', type: 'uint64', dims: [2], data: [2n ** 64n - 1n, 3], typed: true },
        tensor('UINT64', [2], [1, 2]),
      ],
      ['int8', { name: 'd', type: 'int8', dims: [2], data: [-1, 3] }, tensor('INT8', [2], [1, 2])],
      ['string', { name: 'd', type: 'string', dims: [2], data: ['ü', ''] }, tensor('BYTES', [2], ['a', 'b'])],
    ])('of type %s', async (type, initializer, given) => {
      const value: Omit<EncodeValue, 'name'> = { type, dims: [2] };
      const model = await load(
        nodesModel({
          inputs: [
            { name: 'x', ...value },
            { name: 'd', ...value },
          ],
          outputs: [
            { name: 'y', ...value },
            { name: 'same', ...value },
          ],
          nodes: [
            { type: 'Identity', inputs: ['d'], outputs: ['y'] },
            { type: 'Identity', inputs: ['x'], outputs: ['same'] },
          ],
          initializers: [initializer],
        }),
      );
      const expected = initializer.data!.map((element) =>
        type.endsWith('64') ? BigInt(element) : type === 'string' ? element : Number(element),
      );
      expect(elements(await model.run(new Map([['x', given]])), 'y')).toEqual(expected);
      const both = new Map([
        ['x', given],
        ['d', given],
      ]);
      expect(elements(await model.run(both), 'y')).toEqual(Array.from(given.data as ArrayLike<unknown>));
    });

    it('work beside weights in another file', async () => {
      const weights = Float32Array.of(2, 3);
      const model = await load(
        nodesModel({
          inputs: [
            { name: 'x', type: 'float', dims: ['N', 2] },
            { name: 'scale', type: 'float', dims: [1] },
          ],
          outputs: [{ name: 'y', type: 'float', dims: ['N', 1] }],
          nodes: [
            { type: 'MatMul', inputs: ['x', 'W'], outputs: ['product'] },
            { type: 'Mul', inputs: ['product', 'scale'], outputs: ['y'] },
          ],
          initializers: [
            { name: 'W', type: 'float', dims: [2, 1], external: { location: 'weights.bin', offset: 0, length: 8 } },
            { name: 'scale', type: 'float', dims: [1], data: [1] },
          ],
        }),
        { 'weights.bin': new Uint8Array(weights.buffer) },
      );
      const given = new Map([
        ['x', x],
        ['scale', tensor('FP32', [1], [10])],
      ]);
      expect(elements(await model.run(new Map([['x', x]])), 'y')).toEqual([18]);
      expect(elements(await model.run(given), 'y')).toEqual([180]);
    });

    it('stay fixed where they are large, and a value for one is refused', async () => {
      const size = 20_000;
      const model = await load(manyDefaults([{ name: 'd0', size }]));
      expect(elements(await model.run(new Map([['x', tensor('FP32', [1], [3])]])), 'y')).toEqual([4]);
      const given = new Map([
        ['x', tensor('FP32', [1], [3])],
        ['d0', tensor('FP32', [size], new Array(size).fill(5))],
      ]);
      await expect(model.run(given)).rejects.toMatchObject({
        code: 'request-invalid',
        message: expect.stringMatching(/^Input 'd0' of made\/1 has a default that cannot be replaced here/),
      });
    });

    it('stay fixed where an exporter listed every weight', async () => {
      const names = Array.from({ length: MAX_DEFAULTS + 1 }, (_, index) => ({ name: `d${index}`, size: 1 }));
      const model = await load(manyDefaults(names));
      expect(elements(await model.run(new Map([['x', tensor('FP32', [1], [3])]])), 'y')).toEqual([3 + names.length]);
    });
  });
});

/** y = x + the first element of each default, all of which are 1. */
function manyDefaults(defaults: readonly { name: string; size: number }[]): Uint8Array {
  return nodesModel({
    inputs: [
      { name: 'x', type: 'float', dims: [1] },
      ...defaults.map(({ name, size }): EncodeValue => ({ name, type: 'float', dims: [size] })),
    ],
    outputs: [{ name: 'y', type: 'float', dims: [1] }],
    nodes: [
      ...defaults.map(({ name }) => ({ type: 'Gather', inputs: [name, 'first'], outputs: [`${name}_0`] })),
      { type: 'Sum', inputs: ['x', ...defaults.map(({ name }) => `${name}_0`)], outputs: ['y'] },
    ],
    initializers: [
      { name: 'first', type: 'int64', dims: [1], data: [0] },
      ...defaults.map(({ name, size }) => ({
        name,
        type: 'float' as const,
        dims: [size],
        data: new Array<number>(size).fill(1),
      })),
    ],
  });
}
