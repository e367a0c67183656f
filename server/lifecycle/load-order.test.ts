import { expect, it } from 'vitest';
import { type LoadWish, pickLoads } from './load-order.ts';

const wish = (model: string, dark: boolean, rank: number): LoadWish => ({ model, dark, rank });
const names = (wishes: LoadWish[]): string[] => wishes.map(({ model, rank }) => `${model}${rank}`);

it.each<[string, LoadWish[], number, string[]]>([
  ['nothing is wanted', [], 2, []],
  ['nothing is free', [wish('a', true, 0)], 0, []],
  ['more than free is in use', [wish('a', true, 0)], -1, []],
  ['a dark model first', [wish('a', false, 0), wish('b', true, 0)], 1, ['b0']],
  ['what should be active first', [wish('a', true, 1), wish('b', true, 0), wish('a', true, 0)], 2, ['b0', 'a0']],
  ['a dark model with its second before a lit one', [wish('a', false, 0), wish('b', true, 1)], 2, ['b1', 'a0']],
])('%s', (_what, wishes, free, want) => expect(names(pickLoads(wishes, free))).toEqual(want));
