const SUFFIXES: Readonly<Record<string, readonly [base: bigint, exponent: number]>> = {
  n: [10n, -9],
  u: [10n, -6],
  m: [10n, -3],
  '': [10n, 0],
  k: [10n, 3],
  M: [10n, 6],
  G: [10n, 9],
  T: [10n, 12],
  P: [10n, 15],
  E: [10n, 18],
  Ki: [2n, 10],
  Mi: [2n, 20],
  Gi: [2n, 30],
  Ti: [2n, 40],
  Pi: [2n, 50],
  Ei: [2n, 60],
};

const FORM = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)?)$/;

/** A quantity as Kubernetes writes it (`13333m`, `4Gi`, `0.5`, `1e3`), exact to a billionth and rounded away from zero beyond that. */
export interface Quantity {
  /** In thousandths, a fraction of one rounded up (MilliValue): what the HPA counts in. */
  milli: number;
  /** As a floating point number, by way of the form in which the API server hands it out (AsApproximateFloat64): what tolerances are read as. */
  approximate: number;
}

/** @returns undefined where the text is no quantity */
export function parseQuantity(text: string | number): Quantity | undefined {
  const [, sign, whole = '', fraction = '', power, suffix = ''] = FORM.exec(String(text)) ?? [];
  if (whole + fraction === '') return undefined;
  const [base, exponent] = power === undefined ? SUFFIXES[suffix]! : ([10n, Number(power)] as const);
  // In billionths.
  const factor = base === 2n ? 10n ** 9n * 2n ** BigInt(exponent) : 10n ** BigInt(Math.max(0, 9 + exponent));
  const divisor = 10n ** BigInt(fraction.length + (base === 10n ? Math.max(0, -9 - exponent) : 0));
  const nano = divideUp(BigInt(whole + fraction) * factor, divisor);
  const signed = (value: number) => (sign === '-' ? -value : value);
  return { milli: signed(Number(divideUp(nano, 1_000_000n))), approximate: signed(approximate(nano)) };
}

/** The canonical form is a whole number of units, thousandths, millionths or billionths; it is multiplied, not divided, to be a fraction. */
function approximate(nano: bigint): number {
  const [unit, scale] = (
    [
      [1_000_000_000n, 1],
      [1_000_000n, 1e-3],
      [1_000n, 1e-6],
      [1n, 1e-9],
    ] as const
  ).find(([size]) => nano % size === 0n)!;
  return Number(nano / unit) * scale;
}

function divideUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}
