import type { ForecastHour } from './forecast.ts';

/** Lines that a column may be high. */
const HEIGHT = 12;
/** Columns for an hour: two of the bar, one of the mark. A day and its axis are 78 wide then. */
const EIGHTHS = ['  ', '▁▁', '▂▂', '▃▃', '▄▄', '▅▅', '▆▆', '▇▇', '██'];
const STEPS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** A round number that is not below `value`, for the upper end of an axis. */
function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  return unit * (STEPS.find((step) => step * unit >= value) ?? 10);
}

/** The largest number that is to be seen. */
export function topOf(hours: readonly ForecastHour[]): number {
  return roundUp(Math.max(0, ...hours.flatMap(({ forecast, came = 0 }) => [forecast, came])));
}

/** Hours of a day for a terminal of 80 columns: what came as bars, the forecast as a mark beside each. Pure. */
export function plotDay(hours: readonly ForecastHour[]): string {
  const top = topOf(hours);
  const label = (line: number): string => {
    const marked = line === HEIGHT - 1 || line === HEIGHT / 2 - 1;
    return marked ? `${numberText(((line + 1) * top) / HEIGHT).padStart(5)}┤` : '     │';
  };
  const lines = Array.from({ length: HEIGHT }, (_, index) => {
    const line = HEIGHT - 1 - index;
    const cells = hours.map(
      (hour) => barAt(hour.came, top, line) + (markLine(hour.forecast, top) === line ? '●' : ' '),
    );
    return (label(line) + cells.join('')).trimEnd();
  });
  const ticks = hours.map(({ hour }) => (hour % 3 === 0 ? String(hour).padEnd(3) : '   ')).join('');
  return [...lines, `    0└${'─'.repeat(hours.length * 3)}`, `      ${ticks}`.trimEnd()].join('\n');
}

function barAt(came: number | undefined, top: number, line: number): string {
  const eighths = Math.round(((came ?? 0) / top) * HEIGHT * 8) - line * 8;
  return EIGHTHS[Math.min(8, Math.max(0, eighths))]!;
}

function markLine(value: number, top: number): number {
  return Math.min(HEIGHT - 1, Math.max(0, Math.floor((value / top) * HEIGHT)));
}

function numberText(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(1);
}
