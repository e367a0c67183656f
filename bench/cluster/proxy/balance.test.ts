import { expect, it } from 'vitest';
import { leastConnections } from './balance.ts';

it.each([
  { open: [], turn: 0, chosen: undefined },
  { open: [3], turn: 7, chosen: 0 },
  { open: [3, 1, 2], turn: 0, chosen: 1 },
  { open: [0, 0, 0], turn: 0, chosen: 0 },
  { open: [0, 0, 0], turn: 1, chosen: 1 },
  { open: [0, 0, 0], turn: 5, chosen: 2 },
  { open: [0, 4, 0], turn: 1, chosen: 2 },
  { open: [1, 0, 0, 1], turn: 3, chosen: 1 },
])('of $open at turn $turn: $chosen', ({ open, turn, chosen }) => {
  const all = open.map((count, index) => ({ open: count, index }));
  expect(leastConnections(all, turn)?.index).toBe(chosen);
});
