import { describe, expect, it } from 'vitest';
import { stringifyJson } from '../../contract/json.ts';
import { binaryRequest, byteStrings, bytesOf } from '../../server/testing/binary.ts';
import { AnswerJudge, versionOf } from './answers.ts';
import type { HttpAnswer } from './http-connection.ts';

function answer(body: string | Buffer, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return { status: 200, head: ['HTTP/1.1 200 OK', ...lines].join('\r\n'), body: Buffer.from(body) };
}

/** The answer of the Open Inference Protocol that gives these values. */
function json(data: readonly unknown[], more: object = {}, datatype = 'FP32'): HttpAnswer {
  const outputs = [{ name: 'y', datatype, shape: [data.length], data }];
  return answer(stringifyJson({ model_name: 'm', model_version: '1', ...more, outputs }));
}

function binary(values: readonly number[], text: string): HttpAnswer {
  const blobs = [bytesOf(Float32Array.from(values)), byteStrings(text)];
  const outputs = [
    { name: 'y', datatype: 'FP32', shape: [values.length], parameters: { binary_data_size: blobs[0]!.length } },
    { name: 's', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: blobs[1]!.length } },
  ];
  const { body, headers } = binaryRequest({ model_version: '1', outputs }, ...blobs);
  return answer(body, headers);
}

describe('versionOf', () => {
  it.each([
    ['the header', answer('{}', { 'Kedge-Model-Version': '7' }), '7'],
    ['the answer', json([1], { model_version: '9' }), '9'],
    ['a binary answer', binary([1], 'a'), '1'],
    ['none', answer('{"outputs":[]}'), undefined],
  ])('is read from %s', (_, given, version) => expect(versionOf(given)).toBe(version));
});

describe('answers of one version', () => {
  const nearly = 1.000_05;
  it.each([
    ['the same bytes', json([1, 2]), json([1, 2]), undefined],
    ['other digits within the tolerance', json([1, 2]), json([nearly, 2]), undefined],
    ['another id', json([1], { id: 'a' }), json([1], { id: 'b' }), undefined],
    ['another value', json([1, 2]), json([1, 3]), /'y' is 3 in element 1, expected 2/],
    ['another shape', json([1, 2]), json([1]), /'y'/],
    ['tokens of JSON as they are', json([Number.NaN, 1]), json([Number.NaN, nearly]), undefined],
    ['a token in the place of a number', json([1]), json([Number.NaN]), /'y' is NaN/],
    [
      'whole numbers beyond 2^53 exactly',
      json([2n ** 60n], {}, 'INT64'),
      json([2n ** 60n + 1n], {}, 'INT64'),
      /'y' is/,
    ],
    ['binary within the tolerance', binary([1, 2], 'a'), binary([nearly, 2], 'a'), undefined],
    ['another value in binary', binary([1, 2], 'a'), binary([1, 4], 'a'), /'y' is 4 in element 1/],
    ['another string in binary', binary([1], 'a'), binary([1], 'b'), /'s' is/],
    ['no outputs', json([1]), answer('{"error":"no"}'), /no outputs/],
    ['no JSON', json([1]), answer('<html>'), /no outputs/],
    ['outputs that are not well formed', json([1]), answer('{"outputs":[{"name":"y"}]}'), /cannot be read/],
    ['of another protocol, other bytes', answer('{"y":1}'), answer('{"y":1.0}'), /other bytes than the first/],
    ['of another protocol, the same bytes', answer('{"y":1}'), answer('{"y":1}'), undefined],
  ])('%s', (_, first, second, problem) => {
    const judge = new AnswerJudge();
    expect(judge.problemOf(first, '1')).toBeUndefined();
    const found = judge.problemOf(second, '1');
    if (problem) expect(found).toMatch(problem);
    else expect(found).toBeUndefined();
    // The first one stays the measure, and another version has one of its own.
    expect(judge.problemOf(first, '1')).toBeUndefined();
    expect(judge.problemOf(second, '2') === undefined).toBe(!/cannot be read/.test(found ?? ''));
  });

  it('does not remember a first answer that cannot be read', () => {
    const judge = new AnswerJudge();
    expect(judge.problemOf(answer('{"outputs":[{}]}'), '1')).toMatch(/cannot be read/);
    expect(judge.problemOf(json([1]), '1')).toBeUndefined();
  });
});

describe('answers that are wanted', () => {
  const outputs = [{ name: 'y', datatype: 'FP32', shape: [1], data: [3] }];

  it('are the measure for every version, the first answer included', () => {
    const judge = new AnswerJudge({ outputs });
    expect(judge.problemOf(json([4]), '1')).toMatch(/'y' is 4 in element 0, expected 3/);
    expect(judge.problemOf(json([3]), '1')).toBeUndefined();
    expect(judge.problemOf(json([4]), '1')).toMatch(/expected 3/);
    expect(judge.problemOf(json([4]), '2')).toMatch(/expected 3/);
  });

  it('have a tolerance', () => {
    const judge = new AnswerJudge({ outputs, tolerance: { abs: 0.5, rel: 0 } });
    expect(judge.problemOf(json([3.4]), '1')).toBeUndefined();
    expect(judge.problemOf(json([3.6]), '1')).toMatch(/expected 3/);
  });

  it('must be well formed', () => {
    expect(() => new AnswerJudge({ outputs: [{ name: 'y', datatype: 'INT8', shape: [1], data: [300] }] })).toThrow(
      /INT8/,
    );
  });
});
