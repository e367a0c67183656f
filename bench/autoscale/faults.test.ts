import { describe, expect, it } from 'vitest';
import { parseFaults } from './faults.ts';

it('are in the order of time', () =>
  expect(parseFaults(['60', '5'], ['30:10'])).toEqual([
    { kind: 'kill', at: 5 },
    { kind: 'pause', at: 30, seconds: 10 },
    { kind: 'kill', at: 60 },
  ]));

describe('what is no fault is refused', () => {
  it.each([
    [['soon'], []],
    [[''], []],
    [['-1'], []],
    [[], ['60']],
    [[], ['60:0']],
    [[], ['60:10:5']],
  ])('%j %j', (kills, pauses) =>
    expect(() => parseFaults(kills, pauses)).toThrow(expect.objectContaining({ code: 'config-invalid' })),
  );
});
