import { latencyText, numberText, secondsText, shareText } from './format.ts';
import type { Latency, RunRecord } from './record.ts';
import { lagsOf, lengthOf, ratesOf, readyOf, replicaSecondsOf } from './timeline.ts';
import { firstAnswersOf, slowestOf } from './zero.ts';

/** Two runs beside each other. */
export interface Comparison {
  rows: readonly ComparisonRow[];
  /** What else than the code differs, a sentence each: then the figures tell of that too. */
  unfair: readonly string[];
  /** What is under test, where it differs: releases and commits. */
  code: readonly string[];
}

interface ComparisonRow {
  name: string;
  one: string;
  other: string;
  /** `+12 %`, or what came and went. */
  difference: string;
  /** Of the first run, to the other; absent where it is within noise, or neither is better. */
  change?: 'better' | 'worse';
}

/** Settings that only say where things are written, or what is judged. */
const ASIDE = new Set(['json', 'report', 'lines', 'out', 'assert']);
/** Within a twentieth, two runs of the same differ by themselves. */
const NOISE = 0.05;

interface Measure {
  name: string;
  value: (record: RunRecord) => number | undefined;
  text: (value: number) => string;
  wanted?: 'more' | 'less';
}

const percentile = (key: keyof Latency, name: string): Measure => ({
  name: `${name} latency`,
  value: ({ load }) => load.total.latency?.[key],
  text: latencyText,
  wanted: 'less',
});

const slowest = (direction: 'up' | 'down'): Measure => ({
  name: `slowest scale-${direction}`,
  value: (record) => {
    const lags = lagsOf(record, direction);
    return lags.length === 0 ? undefined : Math.max(...lags.map(lengthOf));
  },
  text: secondsText,
  wanted: 'less',
});

const share = (count: number, of: number): number | undefined => (of === 0 ? undefined : count / of);

const MEASURES: readonly Measure[] = [
  { name: 'scheduled', value: (record) => ratesOf(record).scheduled, text: (value) => `${numberText(value)}/s` },
  {
    name: 'answered rightly',
    value: (record) => ratesOf(record).ok,
    text: (value) => `${numberText(value)}/s`,
    wanted: 'more',
  },
  {
    name: 'not answered rightly',
    value: ({ load: { total } }) => share(total.scheduled - total.ok, total.scheduled),
    text: shareText,
    wanted: 'less',
  },
  { name: 'wrong answers', value: ({ load }) => load.total.wrong, text: numberText, wanted: 'less' },
  percentile('p50', 'median'),
  percentile('p90', 'p90'),
  percentile('p99', 'p99'),
  percentile('p999', 'p99.9'),
  percentile('max', 'longest'),
  {
    name: 'most replicas ready',
    value: ({ scaling }) => scaling && Math.max(...readyOf(scaling).map(([, value]) => value)),
    text: numberText,
  },
  slowest('up'),
  slowest('down'),
  {
    name: 'slowest first answer from zero',
    value: (record) => slowestOf(firstAnswersOf(record))?.total,
    text: secondsText,
    wanted: 'less',
  },
  {
    name: 'replica seconds',
    value: ({ scaling, seconds }) => scaling && replicaSecondsOf(scaling, seconds),
    text: numberText,
    wanted: 'less',
  },
  { name: 'driver behind its schedule (p99)', value: ({ load }) => load.total.behindP99, text: latencyText },
];

/** What a run differs in from another. Pure. */
export function compare(one: RunRecord, other: RunRecord): Comparison {
  return {
    rows: [...MEASURES.flatMap((measure) => rowOf(measure, one, other)), ...verdictRows(one, other)],
    unfair: unfairnessOf(one, other),
    code: differences(
      { Kedge: one.machine.kedge, commit: one.machine.commit },
      { Kedge: other.machine.kedge, commit: other.machine.commit },
    ),
  };
}

function rowOf({ name, value, text, wanted }: Measure, one: RunRecord, other: RunRecord): ComparisonRow[] {
  const known = (record: RunRecord): number | undefined => {
    const measured = value(record);
    return Number.isFinite(measured) ? measured : undefined;
  };
  const [a, b] = [known(one), known(other)];
  if (a === undefined && b === undefined) return [];
  const shown = { name, one: a === undefined ? '–' : text(a), other: b === undefined ? '–' : text(b) };
  if (a === undefined || b === undefined) return [{ ...shown, difference: '–' }];
  if (a === b) return [{ ...shown, difference: 'equal' }];
  const part = b === 0 ? undefined : (a - b) / b;
  if (part !== undefined && Math.abs(part) < 0.0005) return [{ ...shown, difference: 'equal' }];
  const difference =
    part === undefined ? 'not 0 any more' : `${part > 0 ? '+' : '−'}${percentText(Math.abs(part) * 100)} %`;
  const isNoise = part !== undefined && Math.abs(part) <= NOISE;
  if (!wanted || isNoise) return [{ ...shown, difference }];
  return [{ ...shown, difference, change: a > b === (wanted === 'more') ? 'better' : 'worse' }];
}

/** A tenth of a percent is finer than any run repeats. */
const percentText = (percent: number): string => numberText(Number(percent.toFixed(percent < 10 ? 1 : 0)));

/** Assertions of which one run held and the other did not, or that only one was held against. */
function verdictRows(one: RunRecord, other: RunRecord): ComparisonRow[] {
  const names = new Set([...one.verdicts, ...other.verdicts].map(({ assertion }) => assertion));
  return [...names].flatMap((name): ComparisonRow[] => {
    const holds = (record: RunRecord): boolean | undefined =>
      record.verdicts.find(({ assertion }) => assertion === name)?.holds;
    const [a, b] = [holds(one), holds(other)];
    if (a === b) return [];
    const text = (value: boolean | undefined): string =>
      value === undefined ? 'not asserted' : value ? 'holds' : 'fails';
    const row = { name, one: text(a), other: text(b), difference: 'verdict differs' };
    return [a === undefined || b === undefined ? row : { ...row, change: a ? 'better' : 'worse' }];
  });
}

function unfairnessOf(one: RunRecord, other: RunRecord): string[] {
  const facts = (record: RunRecord): Record<string, unknown> => {
    const { cpu, cores, memoryBytes, os, node } = record.machine;
    const policy = record.scaling?.policy;
    return {
      bench: record.kind,
      processor: cpu,
      cores,
      'memory in MiB': Math.round(memoryBytes / 2 ** 20),
      system: os,
      Node: node,
      'seconds of its clock for one': record.compression,
      ...Object.fromEntries(
        Object.entries(record.settings)
          .filter(([name]) => !ASIDE.has(name))
          .map(([name, value]) => [`setting ${name}`, value]),
      ),
      policy: policy?.name,
      'replicas allowed': policy && `${policy.minReplicas} to ${policy.maxReplicas}`,
      metrics: policy?.metrics.join('; '),
    };
  };
  return differences(facts(one), facts(other));
}

function differences(one: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): string[] {
  const text = (value: unknown): string => (value === undefined ? 'not known' : String(value));
  return [...new Set([...Object.keys(one), ...Object.keys(other)])]
    .filter((name) => one[name] !== other[name])
    .map((name) => `${name}: ${text(one[name])}, and ${text(other[name])} in the other run`);
}
