import { expect, it } from 'vitest';
import { DATATYPES, describeTensor, signatureSchema } from './signature.ts';
import { bytesPerElement, elementCount, newData } from './tensor.ts';

it.each([
  ['BOOL', 1],
  ['UINT8', 1],
  ['UINT16', 2],
  ['UINT32', 4],
  ['UINT64', 8],
  ['INT8', 1],
  ['INT16', 2],
  ['INT32', 4],
  ['INT64', 8],
  ['FP16', 2],
  ['FP32', 4],
  ['FP64', 8],
  ['BYTES', undefined],
] as const)('%s has elements of %s bytes', (datatype, bytes) => {
  expect(bytesPerElement(datatype)).toBe(bytes);
  expect(newData(datatype, 3)).toHaveLength(3);
  expect(newData(datatype, 0)).toHaveLength(0);
});

it('knows an array for each datatype', () =>
  expect(DATATYPES.map((datatype) => newData(datatype, 1).length)).toEqual(DATATYPES.map(() => 1)));

it('counts elements: a scalar has one, an empty axis none', () => {
  expect(elementCount([])).toBe(1);
  expect(elementCount([2, 3, 4])).toBe(24);
  expect(elementCount([2, 0, 4])).toBe(0);
});

it('describes a tensor', () => {
  expect(describeTensor({ datatype: 'FP32', shape: [-1, 12] })).toBe('FP32[-1,12]');
  expect(describeTensor({ datatype: 'BYTES', shape: [] })).toBe('BYTES[]');
});

it.each([
  { name: '', datatype: 'FP32', shape: [] },
  { name: 'x', datatype: 'float', shape: [] },
  { name: 'x', datatype: 'FP32', shape: [-2] },
  { name: 'x', datatype: 'FP32' },
])('a signature does not hold %j', (spec) =>
  expect(signatureSchema.safeParse({ inputs: [spec], outputs: [] }).success).toBe(false),
);
