import { expect, it } from 'vitest';
import { LoopTurns } from './turns.ts';

/** Turns that end when told. */
function turnsByHand(): { turns: LoopTurns; end(): void } {
  let onEnd: (() => void) | undefined;
  const turns = new LoopTurns((call) => {
    onEnd = call;
  });
  return { turns, end: () => onEnd!() };
}

it('a request that an idle loop takes in waited for nobody but those before it in the same turn', () => {
  const { turns, end } = turnsByHand();
  expect(turns.take(100)).toBe(0);
  expect(turns.take(101)).toBe(1);
  end();
  expect(turns.take(200)).toBe(0);
});

it('one that a busy loop takes in may have come right after the turn before began', () => {
  const { turns, end } = turnsByHand();
  turns.take(100);
  end();
  turns.worked(119.8);
  expect(turns.take(120)).toBe(20);
  expect(turns.take(125)).toBe(25);
});

it('requests that are refused keep a loop busy, too', () => {
  const { turns, end } = turnsByHand();
  turns.take(100);
  turns.take(140);
  end();
  expect(turns.take(140.2)).toBeCloseTo(40.2);
});

it('knows what a request costs from turns of several', () => {
  const { turns, end } = turnsByHand();
  turns.take(100);
  turns.take(150);
  end();
  expect(turns.requestMs(150)).toBe(0);
  for (let turn = 1; turn <= 40; turn += 1) {
    for (let request = 0; request < 11; request += 1) turns.take(turn * 1_000 + request * 2);
    end();
  }
  expect(turns.requestMs(41_000)).toBeCloseTo(2, 2);
});

it('forgets that cost when nothing recent tells of it, as an idle loop could never correct it', () => {
  const { turns, end } = turnsByHand();
  for (let request = 0; request < 5; request += 1) turns.take(request * 100);
  end();
  expect([turns.requestMs(1_400), turns.requestMs(1_401)]).toEqual([20, 0]);
});

it('expects a turn to go on for as long as the one before', () => {
  const { turns, end } = turnsByHand();
  turns.take(100);
  turns.take(140);
  expect(turns.restMs(140)).toBe(0);
  end();
  expect(turns.restMs(150)).toBe(0);
  turns.take(200);
  expect(turns.restMs(210)).toBe(30);
  expect(turns.restMs(250)).toBe(0);
});
