import { describe, expect, it } from 'vitest';
import type { ForecastHour } from './forecast.ts';
import { plotDay, topOf } from './plot.ts';
import { svgOf } from './svg.ts';

const hour = (at: number, forecast: number, came?: number): ForecastHour => ({
  hour: at,
  forecast,
  naive: 0,
  ...(came !== undefined && { came }),
});

describe('the picture of a day', () => {
  it('has a bar for what came and a mark for the forecast, on one scale', () => {
    const text = plotDay([hour(0, 0, 12), hour(1, 11.9, 1), hour(2, 5, 0.5), hour(3, 3)]);
    expect(text.split('\n')).toEqual([
      '   15┤',
      '     │',
      '     │▅▅   ●',
      '     │██',
      '     │██',
      '     │██',
      '  7.5┤██',
      '     │██      ●',
      '     │██',
      '     │██         ●',
      '     │██',
      '     │██●▆▆ ▃▃',
      '    0└────────────',
      '      0        3',
    ]);
  });

  it('takes no more than 80 columns, and says nothing where nothing came', () => {
    const lines = plotDay(Array.from({ length: 24 }, (_, at) => hour(at, 0))).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.join('')).not.toMatch(/[▁-█]/);
  });

  it.each([
    [0, 1],
    [0.3, 0.3],
    [1.01, 1.5],
    [47, 50],
    [99, 100],
    [100, 100],
    [101, 150],
  ])('of at most %d ends at %d', (most, top) => expect(topOf([hour(0, most)])).toBeCloseTo(top, 9));

  it('is an SVG, too', () => {
    const svg = svgOf([hour(0, 1, 2), hour(1, 2)], 'a < b & c');
    expect(svg).toContain('a &lt; b &amp; c');
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    // Its background, one bar and three of the legend.
    expect(svg.match(/<rect /g)).toHaveLength(5);
    expect(svg.match(/<polyline /g)).toHaveLength(2);
    expect(svg).not.toContain('NaN');
  });
});
