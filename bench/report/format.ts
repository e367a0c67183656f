/** Numbers as a person reads them. All pure. */

/** Thousands apart, three digits that tell something below 100. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
  return rounded.toLocaleString('en-US', { maximumFractionDigits: 6 });
}

/** Microseconds as milliseconds, or as seconds from ten on: `4.12 ms`. */
export function latencyText(micros: number): string {
  return micros >= 10_000_000 ? `${numberText(micros / 1e6)} s` : `${numberText(micros / 1e3)} ms`;
}

export function secondsText(seconds: number): string {
  return `${numberText(seconds)} s`;
}

/** A share of 1 as percent. What is there never shows as nothing. */
export function shareText(share: number): string {
  return `${numberText(share * 100)} %`;
}

export function countText(count: number, noun: string): string {
  return `${numberText(count)} ${noun}${count === 1 ? '' : 's'}`;
}
