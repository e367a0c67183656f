import { expect, it } from 'vitest';
import { inLoadOrder, type LoadWish } from './load-order.ts';

/** `a0 dark spare` is a wish of model a of rank 0. */
const wish = (words: string): LoadWish => ({
  model: words[0]!,
  asked: words.includes('asked'),
  dark: words.includes('dark'),
  spare: words.includes('spare'),
  rank: Number(words[1]),
});

it.each<[string, string[], string[]]>([
  ['as they come', ['a0', 'b0'], ['a0', 'b0']],
  ['what should be active before the rest', ['a1', 'b0'], ['b0', 'a1']],
  ['models that answer nothing first', ['a0', 'b1 dark', 'c0 dark'], ['c0', 'b1', 'a0']],
  ['spare versions last', ['a1 spare', 'b2', 'c0 dark'], ['c0', 'b2', 'a1']],
  ['what requests wait for before all', ['a0 dark', 'b1 dark asked', 'c0'], ['b1', 'a0', 'c0']],
])('%s', (_what, wishes, order) =>
  expect(inLoadOrder(wishes.map(wish)).map(({ model, rank }) => `${model}${rank}`)).toEqual(order),
);
