import type { ForecastHour } from './forecast.ts';
import { topOf } from './plot.ts';

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [960, 360, 56, 56, 48];
const INNER = HEIGHT - BOTTOM - TOP;
const [CAME, FORECAST, NAIVE] = ['#9ecae1', '#d94801', '#969696'];

/** The same day as a picture: bars for what came, a line each for the forecast and the rule of thumb. Pure. */
export function svgOf(hours: readonly ForecastHour[], title: string): string {
  const top = topOf([...hours, ...hours.map((hour) => ({ ...hour, forecast: hour.naive }))]);
  const step = (WIDTH - LEFT - 16) / hours.length;
  const x = (index: number): number => LEFT + step * index;
  const y = (value: number): number => TOP + INNER * (1 - value / top);
  const text = (at: number, down: number, words: string, anchor = 'middle'): string =>
    `<text x="${round(at)}" y="${round(down)}" text-anchor="${anchor}">${escaped(words)}</text>`;
  const line = (value: (hour: ForecastHour) => number, style: string): string =>
    `<polyline fill="none" ${style} points="${hours.map((hour, i) => `${round(x(i + 0.5))},${round(y(value(hour)))}`).join(' ')}"/>`;
  const bars = hours.flatMap(({ came }, i) =>
    came === undefined
      ? []
      : `<rect x="${round(x(i) + 2)}" y="${round(y(came))}" width="${round(step - 4)}" height="${round(y(0) - y(came))}" fill="${CAME}"/>`,
  );
  const axis = [0, 0.5, 1].flatMap((part) => [
    `<line x1="${LEFT}" x2="${WIDTH - 16}" y1="${round(y(part * top))}" y2="${round(y(part * top))}" stroke="#ddd"/>`,
    text(LEFT - 6, y(part * top) + 4, String(round(part * top)), 'end'),
  ]);
  const ticks = hours.flatMap(({ hour }, i) => (hour % 3 === 0 ? text(x(i + 0.5), y(0) + 18, `${hour}`) : []));
  const legend: [string, string][] = [
    ['what came', CAME],
    ['forecast', FORECAST],
    ['a week before (seasonal naive)', NAIVE],
  ];
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 24, title, 'start'),
    text(LEFT, 42, 'trips an hour', 'start'),
    ...axis,
    ...bars,
    line(({ naive }) => naive, `stroke="${NAIVE}" stroke-dasharray="4 4"`),
    line(({ forecast }) => forecast, `stroke="${FORECAST}" stroke-width="2.5"`),
    ...ticks,
    ...legend.flatMap(([words, colour], i) => [
      `<rect x="${LEFT + i * 130}" y="${HEIGHT - 24}" width="12" height="12" fill="${colour}"/>`,
      text(LEFT + i * 130 + 18, HEIGHT - 13, words, 'start'),
    ]),
    '</svg>',
  ].join('\n')}\n`;
}

const round = (value: number): number => Math.round(value * 100) / 100;

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escaped = (words: string): string => words.replace(/[&<>]/g, (sign) => ESCAPES[sign]!);
