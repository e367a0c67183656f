import { expect, it } from 'vitest';
import { jsonLength, readBodies, readWanted } from './body-files.ts';

const output = { name: 'y', datatype: 'FP32', shape: [1], data: [1] };

it.each([
  ['{"a":"}"}xyz', 9],
  ['  {"a":{"b":"\\"}"}}\u0001', 19],
  ['{"a":1}', 7],
  ['{"a":1', undefined],
  ['xyz', undefined],
  ['[{}]', undefined],
  ['{a}', undefined],
  ['', undefined],
])('the JSON at the start of %j is %s bytes', (text, length) => expect(jsonLength(Buffer.from(text))).toBe(length));

it('reads one body, one for each line, or a binary one', () => {
  const json = Buffer.from('{\n "inputs": []\n}');
  expect(readBodies('a.json', json)).toEqual([{ body: json }]);
  expect(readBodies('a.jsonl', Buffer.from('{"a":1}\n\n{"a":NaN}\n'))).toEqual([
    { body: '{"a":1}' },
    { body: '{"a":NaN}' },
  ]);
  const binary = Buffer.concat([Buffer.from('{"inputs":[]}'), Buffer.from([0, 255])]);
  const headers = { 'content-type': 'application/octet-stream', 'inference-header-content-length': '13' };
  expect(readBodies('a.bin', binary)).toEqual([{ body: binary, headers }]);
});

it.each([
  ['a.bin', 'xyz', /neither JSON, nor/],
  ['a.jsonl', '{"a":1}\n{', /line 2 is no JSON/],
  ['a.jsonl', '\n', /has no lines/],
])('refuses %s with %j', (file, text, message) => expect(() => readBodies(file, Buffer.from(text))).toThrow(message));

it('reads what is wanted', () => {
  const answer = JSON.stringify({ model_name: 'm', outputs: [output] });
  expect(readWanted('a.json', Buffer.from(answer))).toEqual([{ outputs: [output] }]);
  expect(readWanted('a.jsonl', Buffer.from(`${answer}\n${answer}`))).toHaveLength(2);
  expect(() => readWanted('a.jsonl', Buffer.from(`${answer}\n{"outputs":[]}`))).toThrow('answer 2 has no outputs');
  expect(() => readWanted('a.json', Buffer.from('{"outputs":[{"name":"y"}]}'))).toThrow('answer 1 has no outputs');
});
