import { describe, expect, it } from 'vitest';
import { durationOf, peakOf, rateAt, requestsOf } from './schedule.ts';
import { parseDuration, parseSchedule, SHAPES, traceSchedule } from './schedule-spec.ts';

const TRACE = '# recorded\nseconds,rate\n60,10\n120,30\n150,0\n';
const parse = (spec: string) => parseSchedule(spec, () => TRACE);

describe('parseSchedule', () => {
  it.each([
    [
      'constant:100/30s',
      30,
      3_000,
      100,
      [
        [0, 100],
        [29.9, 100],
        [30, 0],
        [-1, 0],
      ],
    ],
    ['poisson:2.5/1m', 60, 150, 2.5, [[59, 2.5]]],
    [
      'steps:10,50,100/90s',
      90,
      4_800,
      100,
      [
        [29.9, 10],
        [30, 50],
        [89, 100],
      ],
    ],
    [
      'ramp:10..200/60s',
      60,
      6_300,
      200,
      [
        [0, 10],
        [30, 105],
      ],
    ],
    [
      'ramp:0..100..0/1m',
      60,
      3_000,
      100,
      [
        [15, 50],
        [30, 100],
        [45, 50],
      ],
    ],
    [
      'sine:10..200/10m,period=5m',
      600,
      63_000,
      200,
      [
        [0, 10],
        [150, 200],
        [300, 10],
        [450, 200],
      ],
    ],
    [
      'sine:0..100/8',
      8,
      400,
      100,
      [
        [0, 0],
        [4, 100],
      ],
    ],
    [
      'spike:10..200/60s,at=20s,for=5s',
      60,
      1_550,
      200,
      [
        [19.9, 10],
        [20, 200],
        [24.9, 200],
        [25, 10],
      ],
    ],
    [
      'spike:1..2/60s,at=0s,for=60s',
      60,
      120,
      2,
      [
        [0, 2],
        [59, 2],
      ],
    ],
    [
      'trace:rates.csv',
      120,
      1_500,
      30,
      [
        [0, 10],
        [59, 10],
        [60, 30],
        [90, 0],
        [119, 0],
      ],
    ],
    [
      'trace:rates.csv,times=2,for=75s',
      75,
      2_100,
      60,
      [
        [0, 20],
        [74, 60],
        [76, 0],
      ],
    ],
    [
      'constant:10/500ms+ramp:10..20/10s+constant:20/1h',
      3_610.5,
      72_155,
      20,
      [
        [0.2, 10],
        [5.5, 15],
        [100, 20],
      ],
    ],
  ] as const)('%s', (spec, seconds, requests, peak, rates) => {
    const schedule = parse(spec);
    expect(durationOf(schedule)).toBeCloseTo(seconds, 9);
    expect(requestsOf(schedule)).toBeCloseTo(requests, 6);
    expect(peakOf(schedule)).toBeCloseTo(peak, 9);
    for (const [at, rate] of rates) expect([at, rateAt(schedule, at)]).toEqual([at, expect.closeTo(rate, 6)]);
  });

  it('follows the sine between its lines', () => {
    const schedule = parse('sine:0..100/64s');
    for (let at = 0.5; at < 64; at += 1) {
      expect(Math.abs(rateAt(schedule, at) - 50 * (1 - Math.cos((2 * Math.PI * at) / 64)))).toBeLessThan(0.065);
    }
  });

  it.each([
    ['constant:1/1s', [false]],
    ['constant:1/1s,poisson', [true]],
    ['poisson:1/1s,even', [false]],
    ['ramp:1..2/1s', [false]],
    ['ramp:1..2/1s,poisson+steps:1,2/2s', [true, false, false]],
    ['trace:rates.csv,poisson', [true, true, true]],
  ])('%s arrives at random: %j', (spec, random) =>
    expect(parse(spec).segments.map((segment) => segment.random)).toEqual(random),
  );

  it.each([
    ['rampe:1..2/3s', /no shape 'rampe'.*Write it as in ramp:10\.\.200\/60s/],
    ['100', /no shape '100'.*Shapes are constant:100\/30s/],
    ['constant:100', /does not say how long.*constant:100\/30s/],
    ['constant:100/soon', /'soon' is no duration/],
    ['constant:100/0s', /'0s' is no duration/],
    ['constant:many/3s', /'many' is no rate/],
    ['constant:-1/3s', /'-1' is no rate/],
    ['constant:/3s', /'' is no rate/],
    ['constant:1..2/3s', /takes one rate/],
    ['ramp:10/30s', /two rates or more/],
    ['sine:10/30s', /two rates, the lowest and the highest/],
    ['spike:1..2/10s,at=8s,for=5s', /its peak ends after 13 s, and it lasts 10 s/],
    ['spike:1..2/10s,at=soon', /'soon' is no time/],
    ['spike:1..2/10s,for=0s', /'0s' is no duration/],
    ['spike:1..2/10s,at', /at needs a value/],
    ['ramp:1..2/10s,period=3s', /no option 'period'/],
    ['sine:1..2/10s,period=3s,period=4s', /period is given twice/],
    ['ramp:1..2/10s,even,poisson', /both poisson and even/],
    ['constant:0/10s', /rate is 0 throughout/],
  ])('%s is refused: %s', (spec, message) => {
    expect(() => parse(spec)).toThrow(message);
  });

  it('can read each of its own examples', () => {
    for (const line of Object.values(SHAPES)) expect(peakOf(parse(line.split(' ')[0]!))).toBeGreaterThan(0);
  });
});

it.each([
  ['500ms', 0.5],
  ['30s', 30],
  ['1.5m', 90],
  ['2h', 7_200],
  ['12', 12],
  ['.5', 0.5],
  ['', undefined],
  ['0', 0],
  ['-3s', undefined],
  ['3 s', undefined],
  ['3d', undefined],
])('%j lasts %s s', (text, seconds) => expect(parseDuration(text)).toBe(seconds));

it('a file with a comma in its name is a trace alone, and in a shape the comma ends its name', () => {
  const read = (file: string): string => {
    if (file !== 'a,b.csv') throw new Error(`${file} cannot be read`);
    return 'seconds,rate\n0,5\n10,20\n';
  };
  expect(traceSchedule('a,b.csv', read)).toEqual(parseSchedule('trace:r.csv', () => read('a,b.csv')));
  expect(() => parseSchedule('trace:a,b.csv', read)).toThrow(/^a cannot be read\. What follows a comma is taken/);
  expect(() => parseSchedule('trace:a', read)).toThrow(/^a cannot be read$/);
  expect(() => traceSchedule('r.csv', () => '0,0\n5,0\n')).toThrow(/its rate is 0 throughout/);
});
