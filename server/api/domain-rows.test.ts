import { expect, it } from 'vitest';
import type { RowField } from '../../contract/estimator.ts';
import { checkRows } from './domain-rows.ts';

const fields: RowField[] = [
  { name: 'zone', type: 'string', description: 'Where', required: true },
  { name: 'hour', type: 'integer', description: 'When', required: true },
  { name: 'wind', type: 'number', description: 'How windy', required: false },
  { name: 'holiday', type: 'boolean', description: 'Whether', required: false },
];
const row = { zone: 'a', hour: 3 };

it.each<[string, object]>([
  ['what is required', {}],
  ['what is optional', { wind: 0.5, holiday: false }],
  ['null for what is optional', { wind: null }],
  ['more than is declared', { trace: { id: 1 } }],
])('takes %s', (_what, more) => {
  const rows = [row, { ...row, ...more }];
  expect(checkRows(fields, rows)).toBe(rows);
});

it.each<[string, unknown, RegExp]>([
  ['no object', [1], /instances\[1\] must be an object, not \[1\]/],
  ['null', null, /instances\[1\] must be an object/],
  ['a field missing', { zone: 'a' }, /instances\[1\]\.hour is missing: When/],
  ['null for what is required', { ...row, zone: null }, /instances\[1\]\.zone must be a string, not null: Where/],
  ['a number for a string', { ...row, zone: 4 }, /instances\[1\]\.zone must be a string, not 4/],
  ['a fraction for an integer', { ...row, hour: 1.5 }, /instances\[1\]\.hour must be a whole number, not 1\.5/],
  ['a string for a number', { ...row, wind: '3' }, /instances\[1\]\.wind must be a number, not "3"/],
  ['a number for a boolean', { ...row, holiday: 1 }, /instances\[1\]\.holiday must be true or false, not 1/],
])('refuses %s', (_what, instance, sentence) => expect(() => checkRows(fields, [row, instance])).toThrow(sentence));

it('does not take a field from the prototype', () =>
  expect(() => checkRows([{ ...fields[0]!, name: 'toString' }], [{}])).toThrow(/toString is missing/));
