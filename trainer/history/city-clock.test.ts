import { describe, expect, it } from 'vitest';
import { CityClock, dayText, hourText } from './city-clock.ts';

const at = (text: string): number => Date.parse(`${text}Z`) / 1000;
const utcOf = (zone: string, wall: string): string[] => new CityClock(zone).utcOf(at(wall)).map(hourText);

describe('the clocks of a city', () => {
  it.each([
    ['Europe/Berlin', '2026-01-15T12:00', '2026-01-15T13:00'],
    ['Europe/Berlin', '2026-07-15T12:00', '2026-07-15T14:00'],
    ['America/New_York', '2026-01-15T12:00', '2026-01-15T07:00'],
    ['Asia/Kolkata', '2026-01-15T12:30', '2026-01-15T18:00'],
    ['Australia/Lord_Howe', '2026-07-15T12:00', '2026-07-15T22:30'],
    ['UTC', '2026-07-15T12:00', '2026-07-15T12:00'],
    ['Europe/Berlin', '1890-01-01T12:00', '1890-01-01T12:53'],
  ])('of %s show at %sZ %s', (zone, utc, wall) => expect(hourText(new CityClock(zone).wallOf(at(utc)))).toBe(wall));

  it.each([
    ['Europe/Berlin', '2026-06-01T02:00', ['2026-06-01T00:00']],
    ['Europe/Berlin', '2026-03-29T01:00', ['2026-03-29T00:00']],
    ['Europe/Berlin', '2026-03-29T02:00', []],
    ['Europe/Berlin', '2026-03-29T03:00', ['2026-03-29T01:00']],
    ['Europe/Berlin', '2026-10-25T02:00', ['2026-10-25T00:00', '2026-10-25T01:00']],
    ['Europe/Berlin', '2026-10-25T03:00', ['2026-10-25T02:00']],
    ['America/New_York', '2026-11-01T01:00', ['2026-11-01T05:00', '2026-11-01T06:00']],
    ['America/New_York', '2026-03-08T02:00', []],
    ['America/Santiago', '2026-09-06T00:00', []],
    ['UTC', '2026-10-25T02:00', ['2026-10-25T02:00']],
  ])('of %s show %s at %j', (zone, wall, utc) => expect(utcOf(zone, wall)).toEqual(utc));

  it('agree there and back through a year, hour by hour', () => {
    for (const zone of ['Europe/Berlin', 'America/New_York', 'Australia/Sydney', 'Asia/Kathmandu']) {
      const clock = new CityClock(zone);
      for (let utc = at('2026-01-01T00:00'); utc < at('2027-01-01T00:00'); utc += 3600) {
        expect(clock.utcOf(clock.wallOf(utc))).toContain(utc);
      }
    }
  });

  it.each([
    ['Europe/Berlin', '2026-11-24', '2026-11-23T23:00'],
    ['America/Santiago', '2026-09-06', '2026-09-06T04:00'],
  ])('of %s begin %s at %sZ', (zone, day, utc) => expect(hourText(new CityClock(zone).startOf(day))).toBe(utc));

  it.each(['2026-02-30', '2026-2-3', 'yesterday', ''])('begin no day %j', (day) =>
    expect(() => new CityClock('UTC').startOf(day)).toThrow(/is no day; write it as 2026-11-24/),
  );

  it('are of a time zone that there is', () =>
    expect(() => new CityClock('Berlin')).toThrow(/'Berlin' is no time zone; they have names such as Europe\/Berlin/));

  it('write a day', () => expect(dayText(at('2026-11-24T23:00'))).toBe('2026-11-24'));
});
