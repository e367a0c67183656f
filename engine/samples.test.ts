import { describe, expect, it } from 'vitest';
import type { SampleTensor } from '../contract/manifest.ts';
import type { Tensor } from '../contract/tensor.ts';
import { compareOutputs, tensorOfSample, tensorsOfSample } from './samples.ts';

describe('tensorOfSample', () => {
  it.each<[SampleTensor, Tensor['data']]>([
    [{ datatype: 'FP32', shape: [2, 1], data: [0.1, Number.NaN] }, Float32Array.of(0.1, Number.NaN)],
    [{ datatype: 'FP64', shape: [2], data: ['Infinity', '-Infinity'] }, Float64Array.of(Infinity, -Infinity)],
    [{ datatype: 'FP16', shape: [1], data: [1n] }, Float16Array.of(1)],
    [{ datatype: 'INT64', shape: [2], data: [9007199254740993n, -1] }, BigInt64Array.of(9007199254740993n, -1n)],
    [{ datatype: 'UINT64', shape: [1], data: [18446744073709551615n] }, BigUint64Array.of(2n ** 64n - 1n)],
    [{ datatype: 'INT8', shape: [2], data: [-128, 127] }, Int8Array.of(-128, 127)],
    [{ datatype: 'BOOL', shape: [4], data: [true, false, 1, 0] }, Uint8Array.of(1, 0, 1, 0)],
    [{ datatype: 'BYTES', shape: [], data: ['NaN'] }, ['NaN']],
    [{ datatype: 'FP32', shape: [0, 3], data: [] }, new Float32Array(0)],
  ])('%o', (sample, data) => expect(tensorOfSample(sample)).toEqual({ ...sample, data }));

  it.each<[SampleTensor, string]>([
    [{ datatype: 'FP32', shape: [2], data: [1] }, 'has 1 elements, expected 2 for shape [2]'],
    [{ datatype: 'FP32', shape: [1], data: ['1'] }, 'has 1 as element 0, expected FP32'],
    [{ datatype: 'FP32', shape: [1], data: [true] }, 'has true as element 0, expected FP32'],
    [{ datatype: 'INT64', shape: [1], data: [0.5] }, 'has 0.5 as element 0, expected INT64'],
    [{ datatype: 'INT64', shape: [1], data: [2n ** 63n] }, 'has 9223372036854775808 as element 0, expected INT64'],
    [{ datatype: 'UINT8', shape: [2], data: [0, 256] }, 'has 256 as element 1, expected UINT8'],
    [{ datatype: 'UINT8', shape: [1], data: [-1] }, 'has -1 as element 0, expected UINT8'],
    [{ datatype: 'BOOL', shape: [1], data: [2] }, 'has 2 as element 0, expected BOOL'],
    [{ datatype: 'BYTES', shape: [1], data: [2] }, 'has 2 as element 0, expected BYTES'],
  ])('refuses %o', (sample, message) =>
    expect(() => tensorOfSample(sample)).toThrow(expect.objectContaining({ code: 'document-invalid', message })),
  );

  it('names the tensor', () =>
    expect(() => tensorsOfSample({ x: { datatype: 'BOOL', shape: [1], data: ['no'] } })).toThrow(
      "Tensor 'x' has no as element 0, expected BOOL.",
    ));
});

describe('compareOutputs', () => {
  const tolerance = { abs: 0.01, rel: 0.1 };
  const compare = (got: SampleTensor, want: SampleTensor) =>
    compareOutputs(new Map([['y', tensorOfSample(got)]]), new Map([['y', tensorOfSample(want)]]), tolerance);
  const fp32 = (...data: SampleTensor['data']): SampleTensor => ({ datatype: 'FP32', shape: [data.length], data });
  const int64 = (...data: SampleTensor['data']): SampleTensor => ({ datatype: 'INT64', shape: [data.length], data });

  it.each([
    [fp32(10.9, 0.009, 0), fp32(10, 0, -0)],
    [fp32(Number.NaN, Infinity), fp32(Number.NaN, Infinity)],
    [int64(9007199254740993n), int64(9007199254740993n)],
    [fp32(), fp32()],
  ])('%o is near %o', (got, want) => expect(compare(got, want)).toBeUndefined());

  it.each<[SampleTensor, SampleTensor, string]>([
    [fp32(1, 11.2), fp32(1, 10), "Output 'y' is 11.199999809265137 in element 1, expected 10."],
    [fp32(Number.NaN), fp32(1), "Output 'y' is NaN in element 0, expected 1."],
    [fp32(1), fp32(Number.NaN), "Output 'y' is 1 in element 0, expected NaN."],
    [fp32(-Infinity), fp32(Infinity), "Output 'y' is -Infinity in element 0, expected Infinity."],
    [fp32(1e30), fp32(Infinity), "Output 'y' is 1.0000000150474662e+30 in element 0, expected Infinity."],
    [int64(101), int64(100), "Output 'y' is 101 in element 0, expected 100."],
    [fp32(1), fp32(1, 2), "Output 'y' has shape [1], expected [2]."],
    [fp32(1), int64(1), "Output 'y' has datatype FP32, expected INT64."],
    [
      { datatype: 'BYTES', shape: [1], data: ['Ja'] },
      { datatype: 'BYTES', shape: [1], data: ['ja'] },
      `Output 'y' is "Ja" in element 0, expected "ja".`,
    ],
  ])('%o is not %o', (got, want, sentence) => expect(compare(got, want)).toBe(sentence));

  it('misses an output, and does not look at others', () => {
    const y = new Map([['y', tensorOfSample(fp32(1))]]);
    expect(compareOutputs(new Map(), y, tolerance)).toBe("Output 'y' is missing.");
    expect(compareOutputs(y, new Map(), tolerance)).toBeUndefined();
  });
});
