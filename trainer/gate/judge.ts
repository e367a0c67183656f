import { lowerBound } from './bootstrap.ts';
import { type LossName, lossesOf, meanOf } from './loss.ts';

export interface GateRules {
  loss: LossName;
  /** How much worse than the champion a challenger may be, as a part of the champion's loss. */
  margin: number;
  /** With which confidence it is no worse than that. */
  confidence: number;
  resamples: number;
  /** Rows of held-out data that are drawn together. */
  block: number;
  /** Fewer held-out rows judge nothing. */
  leastRows: number;
  /** Median run of one row, in milliseconds. */
  maxRunMs: number;
  /** All files. */
  maxBytes: number;
  /** |onnx - fitter| <= abs + rel * |fitter| on every held-out row. */
  parity: { abs: number; rel: number };
}

export const GATE_DEFAULTS: GateRules = {
  loss: 'absolute',
  margin: 0.02,
  confidence: 0.95,
  resamples: 1000,
  block: 24,
  leastRows: 24,
  maxRunMs: 50,
  maxBytes: 64 * 2 ** 20,
  parity: { abs: 1e-4, rel: 1e-4 },
};

/** Answers for the same held-out rows, in order of time. */
export interface Evidence {
  target: Float64Array;
  naive: Float64Array;
  /** By the fitter. */
  fitted: Float64Array;
  /** By the exported model. */
  challenger: ArrayLike<number>;
  /** By the version that serves; absent where there is none for this code. */
  champion?: { version: number; answers: ArrayLike<number> } | undefined;
  runMs: number;
  bytes: number;
}

const GATE_REASONS = {
  'held-out-few': 'there are too few held-out rows to judge by',
  parity: 'the exported model answers otherwise than the fitter',
  'not-better-than-naive': 'it does not beat the rule of thumb',
  'worse-than-champion': 'it may be worse than the version that serves',
  latency: 'a run takes too long',
  size: 'its files are too large',
} as const;

type GateReason = keyof typeof GATE_REASONS;

export interface Verdict {
  passed: boolean;
  reasons: { code: GateReason; message: string }[];
  /** Force does not help: the model is broken, or nothing is known of it. */
  fatal: boolean;
  rows: number;
  loss: LossName;
  /** Mean losses. */
  losses: { challenger: number; naive: number; champion?: number };
  champion?: number;
  /** Lower bound of how much of the champion's loss the challenger takes away; below 0 it is worse. */
  gain?: { mean: number; lowerBound: number };
  runMs: number;
  bytes: number;
}

/** Rounding of 32-bit floats is no difference between forecasts. */
const ROUNDING = 1e-6;

/**
 * Whether a challenger may take the champion's place. It must not be worse by more than the margin, with confidence, on the
 * same rows: a paired comparison, so what makes a row hard is hard for both. Pure, and the same for the same seed.
 */
export function judge(evidence: Evidence, rules: GateRules, seed: number): Verdict {
  const { target, naive, fitted, challenger, champion, runMs, bytes } = evidence;
  const rows = target.length;
  const reasons: Verdict['reasons'] = [];
  const because = (code: GateReason, facts: string): void => {
    reasons.push({ code, message: `${sentence(GATE_REASONS[code])}: ${facts}.` });
  };
  const own = lossesOf(rules.loss, target, challenger);
  const mean = { own: meanOf(own), naive: meanOf(lossesOf(rules.loss, target, naive)) };
  const slack = ROUNDING * (1 + meanOf(target.map(Math.abs)));

  if (rows < rules.leastRows) because('held-out-few', `${rows}, at least ${rules.leastRows} are needed`);
  const apart = firstApart(challenger, fitted, rules.parity);
  if (apart !== undefined) {
    because('parity', `row ${apart}: ${Number(challenger[apart])} and not ${fitted[apart]}`);
  }
  // Written so that a loss that is no number passes nothing.
  if (!(mean.own < mean.naive || mean.own <= mean.naive + slack)) {
    because(
      'not-better-than-naive',
      `its loss is ${digits(mean.own)}, that of the rule of thumb ${digits(mean.naive)}`,
    );
  }
  const compared = champion && compare(own, lossesOf(rules.loss, target, champion.answers), rules, seed);
  if (compared && !(compared.gain.lowerBound >= -rules.margin || compared.bound >= -slack)) {
    const least = percent(compared.gain.lowerBound);
    because(
      'worse-than-champion',
      `with ${rules.confidence * 100} % confidence its gain on version ${champion.version} is at least ${least}, and ${percent(-rules.margin)} is allowed`,
    );
  }
  if (!(runMs <= rules.maxRunMs)) because('latency', `${digits(runMs)} ms for a row, ${rules.maxRunMs} are allowed`);
  if (!(bytes <= rules.maxBytes)) because('size', `${bytes} bytes, ${rules.maxBytes} are allowed`);

  return {
    passed: reasons.length === 0,
    reasons,
    fatal: apart !== undefined || rows === 0,
    rows,
    loss: rules.loss,
    losses: { challenger: mean.own, naive: mean.naive, ...(compared && { champion: compared.mean }) },
    ...(champion && { champion: champion.version }),
    ...(compared && { gain: compared.gain }),
    runMs,
    bytes,
  };
}

function compare(own: Float64Array, theirs: Float64Array, rules: GateRules, seed: number) {
  const differences = theirs.map((loss, row) => loss - own[row]!);
  const mean = meanOf(theirs);
  const bound = lowerBound(differences, { ...rules, seed });
  // Of a champion without loss nothing can be taken away, and anything is infinitely worse.
  const part = (value: number): number => (value === 0 ? 0 : value / mean);
  return { mean, bound, gain: { mean: part(meanOf(differences)), lowerBound: part(bound) } };
}

function firstApart(got: ArrayLike<number>, want: Float64Array, { abs, rel }: GateRules['parity']): number | undefined {
  if (got.length !== want.length) return Math.min(got.length, want.length);
  for (let row = 0; row < want.length; row += 1) {
    if (!(Math.abs(Number(got[row]) - want[row]!) <= abs + rel * Math.abs(want[row]!))) return row;
  }
  return undefined;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function digits(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function percent(part: number): string {
  return `${digits(part * 100)} %`;
}
