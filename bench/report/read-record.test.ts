import { expect, it } from 'vitest';
import { readRecord } from './read-record.ts';
import { exampleRecord } from './testing/example.ts';
import { handmade } from './testing/handmade.ts';

it.each([
  ['one that scaled', exampleRecord({ seconds: 60 })],
  ['a load alone', { ...handmade([{}]), verdicts: [{ assertion: 'max_wrong: 0', holds: false, measured: '1' }] }],
])('a record comes back from its JSON as it was: %s', (_, record) => {
  expect(readRecord(JSON.stringify(record), 'a.json')).toEqual(record);
});

const text = (change: object): string => JSON.stringify({ ...handmade([{}]), ...change });

it.each([
  ['{"schemaVersion": 1', 'a.json is no JSON'],
  ['[]', 'it has no schemaVersion'],
  ['null', 'it has no schemaVersion'],
  ['{"requests": 3}', 'kedge bench load'],
  [text({ schemaVersion: 2 }), 'has schemaVersion 2; this release reads 1'],
  [
    text({ seconds: 'long', compression: 0 }),
    'seconds: Invalid input: expected number, received string; compression: ',
  ],
  ['{"schemaVersion": 1}', 'and 5 more'],
  [text({ load: { intervals: [{ at: 0 }], total: {} } }), 'load.intervals.0.scheduled'],
])('%j: %s', (written, problem) => {
  expect(() => readRecord(written, 'a.json')).toThrow(
    expect.objectContaining({ code: 'document-invalid', message: expect.stringContaining(problem) }),
  );
});
