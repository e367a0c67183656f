import { expect, it } from 'vitest';
import { asOptions, readNumbers } from './number-option.ts';

const OPTIONS = {
  rounds: { about: 'how often', value: 'N', default: 3, min: 1, max: 100, integer: true },
  share: { about: 'of the time', value: 'PART', min: 0.001 },
} as const;

it('are read, and have defaults', () => {
  expect(readNumbers(OPTIONS, {})).toEqual({ rounds: 3, share: undefined });
  expect(readNumbers(OPTIONS, { rounds: '7', share: '.5', other: 'x' })).toEqual({ rounds: 7, share: 0.5 });
});

it('all that are wrong are named at once', () => {
  expect(() => readNumbers(OPTIONS, { rounds: '2.5', share: '0' })).toThrow(
    "--rounds must be a whole number from 1 to 100, not '2.5'.\n--share must be a number from 0.001, not '0'.",
  );
  for (const rounds of ['', ' ', 'many', '101', 'Infinity', 'NaN'])
    expect(() => readNumbers(OPTIONS, { rounds })).toThrow(/--rounds/);
});

it('show their defaults in help', () => {
  expect(asOptions(OPTIONS)).toEqual({
    rounds: { type: 'string', value: 'N', about: 'how often (3)' },
    share: { type: 'string', value: 'PART', about: 'of the time' },
  });
});
