import { describe, expect, it } from 'vitest';
import { hasCode, messageOf } from '../../contract/errors.ts';
import { parseJson } from '../../contract/json.ts';
import type { Tensor } from '../../contract/tensor.ts';
import { jsonData } from './json-data.ts';
import { tensorFromJson } from './json-tensor.ts';

const read = (datatype: unknown, shape: unknown, data: string): Tensor =>
  tensorFromJson("Input 'x'", datatype, shape, parseJson(data));

const elements = (tensor: Tensor): unknown[] => Array.from<unknown>(tensor.data as ArrayLike<unknown>);

describe('every datatype comes back as it was sent', () => {
  it.each<[string, string]>([
    ['BOOL', '[true,false]'],
    ['UINT8', '[0,255]'],
    ['UINT16', '[0,65535]'],
    ['UINT32', '[0,4294967295]'],
    ['UINT64', '[0,18446744073709551615]'],
    ['INT8', '[-128,127]'],
    ['INT16', '[-32768,32767]'],
    ['INT32', '[-2147483648,2147483647]'],
    ['INT64', '[-9223372036854775808,9007199254740993]'],
    ['FP16', '[0.5,-65504]'],
    ['FP32', '[0.5,-3.4028234663852886e+38]'],
    ['FP64', '[0.1,1.7976931348623157e+308]'],
    ['FP16', '[NaN,Infinity]'],
    ['FP32', '[NaN,-Infinity]'],
    ['FP64', '[Infinity,-0.0]'],
    ['FP32', '[0,-0.0]'],
    ['BYTES', '["","\\u00e4\\n\\"\\u0000"]'],
  ])('%s %s', (datatype, data) => {
    const text = jsonData(read(datatype, [2], data));
    expect(parseJson(text)).toEqual(parseJson(data));
    expect(text.includes('-0.0')).toBe(data.includes('-0.0'));
  });
});

describe('values that are taken for others', () => {
  it.each<[string, string, unknown[]]>([
    ['FP32', '["NaN","Infinity","-Infinity"]', [Number.NaN, Infinity, -Infinity]],
    ['FP64', '[9007199254740993]', [9007199254740992]],
    ['FP32', '[0.1]', [Math.fround(0.1)]],
    ['FP32', '[1e39]', [Infinity]],
    ['FP16', '[0.1]', [0.0999755859375]],
    ['BOOL', '[1,0]', [1, 0]],
    ['INT64', '[1e18]', [10n ** 18n]],
    ['INT32', '[1.0, -0.0]', [1, 0]],
    ['UINT8', '[]', []],
  ])('%s %s', (datatype, data, want) => {
    const count = (parseJson(data) as unknown[]).length;
    expect(elements(read(datatype, [count], data))).toEqual(want);
  });
});

describe('flat and nested data', () => {
  it.each<[number[], string, string]>([
    [[2, 2], '[1,2,3,4]', '[[1,2],[3,4]]'],
    [[1, 2, 1, 2], '[1,2,3,4]', '[[[[1,2]],[[3,4]]]]'],
    [[2, 0], '[]', '[[],[]]'],
    [[1], '[7]', '[7]'],
    [[], '[7]', '[7]'],
  ])('%j are the same', (shape, flat, nested) => {
    expect(read('FP32', shape, nested)).toEqual(read('FP32', shape, flat));
    expect(read('BYTES', shape, nested.replaceAll(/\d/g, '"$&"'))).toEqual(
      read('BYTES', shape, flat.replaceAll(/\d/g, '"$&"')),
    );
  });
});

describe('what is refused', () => {
  const deep = `${'['.repeat(40)}1${']'.repeat(40)}`;
  it.each<[string, unknown, unknown, string, RegExp]>([
    ['a datatype of others', 'BF16', [1], '[1]', /datatype is "BF16", which is none of BOOL/],
    ['a datatype of the prototype', 'constructor', [1], '[1]', /datatype/],
    ['no datatype', undefined, [1], '[1]', /datatype is undefined/],
    ['no shape', 'FP32', undefined, '[1]', /shape must be an array/],
    ['a negative dimension', 'FP32', [-1], '[1]', /dimension -1/],
    ['a fraction', 'FP32', [1.5], '[1]', /dimension 1\.5/],
    ['a dimension as text', 'FP32', ['1'], '[1]', /dimension "1"/],
    ['a dimension beyond 2^31', 'FP32', [2 ** 31], '[1]', /dimension 2147483648/],
    ['a dimension beyond 2^53', 'FP32', [2n ** 60n + 2n], '[1]', /dimension 1152921504606846978/],
    ['a product that overflows', 'FP32', [2 ** 16, 2 ** 16, 2 ** 16, 2 ** 16], '[1]', /too many elements/],
    ['a product that overflows to nothing', 'FP32', [4, 2 ** 30, 2 ** 30, 2 ** 30], '[1]', /too many elements/],
    ['33 dimensions', 'FP32', new Array(33).fill(1), '[1]', /33 dimensions/],
    ['too few elements', 'FP32', [2, 2], '[1,2,3]', /takes 4 elements, data has 3/],
    ['too many elements', 'FP32', [], '[1,2]', /takes 1 elements, data has 2/],
    ['elements of an empty tensor', 'FP32', [0, 3], '[1]', /takes 0 elements, data has 1/],
    ['data that is no array', 'FP32', [1], '1', /data must be an array/],
    ['data that is null', 'FP32', [0], 'null', /data must be an array/],
    ['ragged data', 'FP32', [2, 2], '[[1,2],[3]]', /dimension 1 has 1 items/],
    ['rows and elements mixed', 'FP32', [2, 2], '[[1,2],3]', /ragged/],
    ['another nesting than the shape', 'FP32', [2, 3], '[[1,2],[3,4],[5,6]]', /dimension 0 has 3 items/],
    ['nesting deeper than the shape', 'FP32', [1, 1], '[[[1]]]', /element 0 is \[1\]/],
    ['nesting of a flat tensor', 'FP32', [1], '[[1]]', /element 0 is \[1\]/],
    ['nesting of 40 levels', 'FP32', [1, 1], deep, /element 0/],
    ['text for a number', 'FP32', [2], '[1,"2"]', /element 1 is "2", which is no FP32/],
    ['text in a later row', 'FP64', [2, 2], '[[1,2],[3,"x"]]', /element 3 is "x"/],
    ['null for a whole number', 'INT32', [1], '[null]', /element 0 is null/],
    ['null for a whole number of 64 bits', 'INT64', [1], '[null]', /element 0 is null/],
    ['null for a boolean', 'BOOL', [1], '[null]', /element 0 is null/],
    ['null for text', 'BYTES', [1], '[null]', /element 0 is null/],
    ['a boolean for a number', 'FP64', [1], '[true]', /element 0 is true/],
    ['a number for text', 'BYTES', [1], '[1]', /element 0 is 1, which is no BYTES/],
    ['an object for text', 'BYTES', [1], '[{"b64":"eA=="}]', /which is no BYTES/],
    ['2 for a boolean', 'BOOL', [1], '[2]', /element 0 is 2/],
    ['text for a boolean', 'BOOL', [1], '["true"]', /which is no BOOL/],
    ['256 for UINT8', 'UINT8', [1], '[256]', /element 0 is 256/],
    ['a negative for UINT16', 'UINT16', [1], '[-1]', /element 0 is -1/],
    ['a fraction for INT32', 'INT32', [1], '[1.5]', /element 0 is 1\.5/],
    ['NaN for INT8', 'INT8', [1], '[NaN]', /which is no INT8/],
    ['text for INT16', 'INT16', [1], '["1"]', /which is no INT16/],
    ['a boolean for INT8', 'INT8', [1], '[true]', /which is no INT8/],
    ['2^63 for INT64', 'INT64', [1], '[9223372036854775808]', /9223372036854775808, which is no INT64/],
    ['a negative for UINT64', 'UINT64', [1], '[-1]', /which is no UINT64/],
    ['a fraction for INT64', 'INT64', [1], '[0.5]', /which is no INT64/],
    ['infinity for INT64', 'INT64', [1], '[Infinity]', /which is no INT64/],
    ['text for UINT64', 'UINT64', [1], '["1"]', /which is no UINT64/],
    ['a long text for FP16', 'FP16', [1], `["${'x'.repeat(500)}"]`, /x{70}…, which is no FP16/],
  ])('%s', (_what, datatype, shape, data, sentence) => {
    const refuse = (): Tensor => read(datatype, shape, data);
    expect(refuse).toThrow(sentence);
    try {
      refuse();
    } catch (error) {
      expect(hasCode(error, 'request-invalid')).toBe(true);
      expect(messageOf(error)).toMatch(/^Input 'x': .*\.$/);
    }
  });
});
