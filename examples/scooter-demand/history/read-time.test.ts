import { describe, expect, it } from 'vitest';
import { CityClock, hourText } from '../../../trainer/history/city-clock.ts';
import { DoubledHours, readTime } from './read-time.ts';

const berlin = new CityClock('Europe/Berlin');
const read = (text: string, clock = berlin): string => hourText(readTime(text, clock).utc);

describe('the time of a line', () => {
  it.each([
    ['2026-11-23T17:00', '2026-11-23T16:00'],
    ['2026-11-23 17:00:00', '2026-11-23T16:00'],
    ['2026-11-23T17:00:00.000', '2026-11-23T16:00'],
    ['2026-11-23T17', '2026-11-23T16:00'],
    ['2026-11-23T17:00Z', '2026-11-23T17:00'],
    ['2026-11-23 17:00 +01:00', '2026-11-23T16:00'],
    ['2026-11-23T17:00-0500', '2026-11-23T22:00'],
    ['2026-11-23T17:00+01', '2026-11-23T16:00'],
    ['2026-03-29T03:00', '2026-03-29T01:00'],
    // Only the clocks skip it: with an offset it is an hour like any other.
    ['2026-03-29T02:00+01:00', '2026-03-29T01:00'],
  ])('%s is %sZ', (text, utc) => expect(read(text)).toBe(utc));

  it('is on the full hour of the city, not of UTC', () => {
    const kolkata = new CityClock('Asia/Kolkata');
    expect(read('2026-11-23T17:00', kolkata)).toBe('2026-11-23T11:30');
    expect(read('2026-11-23T11:30Z', kolkata)).toBe('2026-11-23T11:30');
    expect(() => read('2026-11-23T12:00Z', kolkata)).toThrow(/not on the full hour by the clocks of Asia\/Kolkata/);
  });

  it('says where it may be one of two', () =>
    expect(readTime('2026-10-25T02:00', berlin)).toEqual({
      utc: Date.UTC(2026, 9, 25, 0) / 1000,
      later: Date.UTC(2026, 9, 25, 1) / 1000,
    }));

  it.each([
    ['', /is no time such as/],
    ['23.11.2026 17:00', /is no time such as/],
    ['1795453200', /is no time such as/],
    ['2026-11-31T17:00', /the calendar does not have/],
    ['2026-11-23T24:00', /the calendar does not have/],
    ['2026-11-23T17:15', /not on the full hour/],
    ['2026-11-23T17:00:30', /not on the full hour/],
    ['2026-03-29T02:00', /does not have, as the clocks went forward then/],
  ])('%j is refused', (text, sentence) => expect(() => read(text)).toThrow(sentence));
});

describe('hours that the clocks show twice', () => {
  const twice = readTime('2026-10-25T02:00', berlin);
  it('are told apart zone by zone, however the zones are mixed', () => {
    const doubled = new DoubledHours();
    const chosen = ['a', 'b', 'b', 'a'].map((zone) => doubled.choose(zone, twice));
    expect(chosen).toEqual([twice.utc, twice.utc, twice.later, twice.later]);
    expect(doubled.single).toBe(0);
    doubled.choose('c', twice);
    expect(doubled.single).toBe(1);
    expect(() => doubled.choose('a', twice)).toThrow(/third/);
  });
});
