import { expect, it } from 'vitest';
import { nearest } from './nearest.ts';

it.each([
  ['samplez', 'samples'],
  ['sample', 'samples'],
  ['trainnig', 'training'],
  ['owner', undefined],
  ['', undefined],
])('%j is near %j', (word, expected) => expect(nearest(word, ['samples', 'training', 'code'])).toBe(expected));
