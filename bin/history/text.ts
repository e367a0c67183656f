import type { Overview, ZoneOverview } from '../../examples/scooter-demand/history/overview.ts';
import { type CityClock, dayText, hourText } from '../../trainer/history/city-clock.ts';
import { table } from '../bucket.ts';

const BARS = '▁▂▃▄▅▆▇█';

/** A curve in one line, from 0 to its highest; a blank where there is nothing. */
export function sparkline(values: readonly (number | null)[]): string {
  const most = Math.max(0, ...values.map((value) => value ?? 0));
  return values
    .map((value) => {
      if (value === null) return ' ';
      return BARS[most === 0 ? 0 : Math.min(BARS.length - 1, Math.floor((value / most) * BARS.length))];
    })
    .join('');
}

const HEAD = ['ZONE', 'FROM', 'TO', 'HOURS', 'MISSING', 'GAPS', 'LONGEST', 'TRIPS/H', 'COURSE'];

/** All zones, each in a line; days by the clocks of the city. */
export function overviewText({ city, zones, weather, holidays }: Overview, clock: CityClock): string {
  const day = (utc: number): string => dayText(clock.wallOf(utc));
  const from = city?.source === 'synthetic' ? `made up (${city.settings})` : 'imported';
  const sky =
    weather.first === null || weather.last === null
      ? 'no weather'
      : `weather from ${day(weather.first)} to ${day(weather.last)}`;
  const rows = zones.map((zone) => (zone.hours === 0 ? emptyRow(zone) : rowOf(zone, day)));
  return `${zones.length === 1 ? '1 zone' : `${zones.length} zones`} in ${clock.timeZone}, ${from}; ${sky}; ${holidays} holidays.\n\n${table(HEAD, rows)}`;
}

function emptyRow({ zone, course }: ZoneOverview): string[] {
  return [zone, '-', '-', '0', '', '', '', '', sparkline(course)];
}

function rowOf(
  { zone, first, last, hours, missing, gaps, longestGap, mean, course }: ZoneOverview,
  day: (utc: number) => string,
): string[] {
  return [
    zone,
    day(first),
    day(last),
    String(hours),
    String(missing),
    String(gaps),
    longestGap > 0 ? `${longestGap} h` : '',
    mean.toFixed(1),
    sparkline(course),
  ];
}

export interface Day {
  weekdays: (number | null)[];
  weekend: (number | null)[];
}

/** One zone closer by: the shape of its days, and its longest gaps. */
export function zoneText(day: Day, gaps: readonly { from: number; hours: number }[], clock: CityClock): string {
  const lines = [
    `Monday to Friday    ${sparkline(day.weekdays)}  ${peakOf(day.weekdays)}`,
    `Saturday, Sunday    ${sparkline(day.weekend)}  ${peakOf(day.weekend)}`,
    '                    0     6     12    18',
  ];
  const missing = gaps.map(({ from, hours }) => `  ${hourText(clock.wallOf(from))}  ${hours} h`);
  return `${lines.join('\n')}\n\n${missing.length === 0 ? 'No hour is missing.' : `Longest gaps, by the clocks of the city:\n${missing.join('\n')}`}\n`;
}

function peakOf(day: readonly (number | null)[]): string {
  const most = Math.max(...day.map((mean) => mean ?? 0));
  const hour = day.indexOf(most);
  return hour < 0 ? '' : `most at ${String(hour).padStart(2, '0')}:00, ${most.toFixed(1)} trips an hour`;
}
