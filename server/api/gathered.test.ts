import { expect, it } from 'vitest';
import { Gathered } from './gathered.ts';

it.each([
  [[]],
  [['one']],
  [['', 'a', '', 'bc', 'defghij', 'k']],
  [Array.from({ length: 5_000 }, (_, index) => `${index},`)],
])('gives back what came, in order: %#', (pieces) => {
  const gathered = new Gathered(10);
  for (const piece of pieces) gathered.add(Buffer.from(piece));
  expect(gathered.whole().toString()).toBe(pieces.join(''));
  expect(gathered.size).toBe(pieces.join('').length);
});

it('leaves the pieces as they are', () => {
  const first = Buffer.from('abc').subarray(0, 2);
  const gathered = new Gathered(100);
  for (const piece of [first, Buffer.from('xy')]) gathered.add(piece);
  expect([gathered.whole().toString(), first.toString(), first.buffer.byteLength > 0]).toEqual(['abxy', 'ab', true]);
});
