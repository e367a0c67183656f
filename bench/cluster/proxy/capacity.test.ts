import { describe, expect, it } from 'vitest';
import { CapacityQueue, parseCapacity } from './capacity.ts';

describe('a capacity as it is written', () => {
  it.each([
    ['50/s', 100, { perSecond: 50 }],
    ['0.5/s', 0, { perSecond: 0.5 }],
    ['4', 80, { slots: 4, serviceMs: 80 }],
  ])('%s', (text, serviceMs, capacity) => expect(parseCapacity(text, serviceMs)).toEqual(capacity));

  it.each([
    ['0/s', 100],
    ['4', 0],
    ['1.5', 100],
    ['-1/s', 100],
    ['fast', 100],
    ['50/m', 100],
  ])('%s with %d ms is refused', (text, serviceMs) =>
    expect(() => parseCapacity(text, serviceMs)).toThrow(expect.objectContaining({ code: 'config-invalid' })),
  );
});

describe('a queue', () => {
  const queueOf = (...arguments_: ConstructorParameters<typeof CapacityQueue>) => {
    const queue = new CapacityQueue(...arguments_);
    const begun: string[] = [];
    const enter = (name: string): (() => void) => {
      const begin = (): void => {
        begun.push(name);
      };
      queue.enter(begin);
      return begin;
    };
    return { queue, begun, enter };
  };

  it('without a limit lets all begin', () => {
    const { queue, begun, enter } = queueOf(undefined);
    for (const name of 'abc') enter(name);
    expect(queue.advance(0)).toBeUndefined();
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('of slots has the next begin when one leaves', () => {
    const { queue, begun, enter } = queueOf({ slots: 2, serviceMs: 100 });
    const [a, , c] = ['a', 'b', 'c', 'd'].map(enter);
    queue.advance(0);
    expect([begun.join(''), queue.waiting]).toEqual(['ab', 2]);
    // One that waits gives up: no slot becomes free.
    queue.leave(c!);
    queue.advance(1);
    expect([begun.join(''), queue.waiting]).toEqual(['ab', 1]);
    queue.leave(a!);
    queue.advance(2);
    expect([begun.join(''), queue.waiting]).toEqual(['abd', 0]);
  });

  it('of a rate spaces them, and says when the next begins', () => {
    const { queue, begun, enter } = queueOf({ perSecond: 50 });
    for (const name of 'abcd') enter(name);
    // After a pause the first two may begin together, as the timer may be late by one.
    expect(queue.advance(1_000)).toBe(20);
    const at = (now: number): string => {
      queue.advance(now);
      return begun.join('');
    };
    expect(begun.join('')).toBe('ab');
    expect(queue.advance(1_005)).toBe(15);
    expect([at(1_019), at(1_020), at(1_039), at(1_040)]).toEqual(['ab', 'abc', 'abc', 'abcd']);
  });

  it('of a rate does not fall behind by late timers', () => {
    const { queue, begun, enter } = queueOf({ perSecond: 100 });
    for (let count = 0; count < 200; count += 1) enter('x');
    for (let now = 0; now <= 1_000; now += 13) queue.advance(now);
    expect(begun.length).toBeGreaterThanOrEqual(76);
    expect(begun.length).toBeLessThanOrEqual(101);
  });
});
