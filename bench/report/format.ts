/** Numbers as a person reads them. All pure. */

/** Thousands apart, three digits that tell something below 100. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
  return rounded.toLocaleString('en-US', { maximumFractionDigits: 6 });
}

/** Microseconds as milliseconds, or as seconds from one on: `4.12 ms`. */
export function latencyText(micros: number): string {
  return micros >= 1_000_000 ? `${numberText(micros / 1e6)} s` : `${numberText(micros / 1e3)} ms`;
}

export function secondsText(seconds: number): string {
  return `${numberText(seconds)} s`;
}

/** A time of the run: `72 s`, `5:30 min`, `1:02:05 h`. */
export function momentText(seconds: number): string {
  if (seconds < 120) return secondsText(seconds);
  return `${clockText(seconds)} ${seconds < 3_600 ? 'min' : 'h'}`;
}

/** As a clock shows it: `2:05`, `1:02:05`. */
export function clockText(seconds: number): string {
  const whole = Math.floor(seconds + 1e-6);
  const [hours, minutes, rest] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A share of 1 as percent. What is there never shows as nothing. */
export function shareText(share: number): string {
  return `${numberText(share * 100)} %`;
}

export function countText(count: number, noun: string): string {
  return `${numberText(count)} ${noun}${count === 1 ? '' : 's'}`;
}
