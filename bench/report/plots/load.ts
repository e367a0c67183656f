import type { Bucket } from '../condense.ts';
import { latencyText, numberText } from '../format.ts';
import { linearAxis, logAxis } from '../page/axis.ts';
import type { Plot, Series } from '../page/plot.ts';
import { xOf } from '../page/plot.ts';
import { HEIGHT, rugPath } from '../page/shapes.ts';
import type { Latency } from '../record.ts';

/** What every plot of the load is made from; `other` is the run that it is compared with. */
export interface LoadInput {
  seconds: number;
  buckets: readonly Bucket[];
  other?: readonly Bucket[];
}

const timesOf = (buckets: readonly Bucket[], level: boolean): Pick<Plot, 'times' | 'lasting'> => ({
  times: buckets.map(({ at }) => at),
  lasting: { seconds: buckets.map(({ seconds }) => seconds), level },
});

const perSecond = (value: number): string => `${numberText(value)}/s`;

/** The values of another run at the times of this one, where it has any. */
function beside(
  { buckets, other }: LoadInput,
  value: (bucket: Bucket) => number | undefined,
): (number | undefined)[] | undefined {
  if (!other) return undefined;
  return buckets.map(({ at }) => {
    const found = other.findLast((bucket) => bucket.at <= at);
    return found && at < found.at + found.seconds ? value(found) : undefined;
  });
}

function otherSeries(name: string, values: Series['values'] | undefined, text: Series['text']): Series[] {
  return values ? [{ name: `${name}, other run`, look: 'grey dashed', shape: 'line', values, text }] : [];
}

export function loadPlot(input: LoadInput): Plot {
  const { seconds, buckets } = input;
  const other = beside(input, ({ ok }) => ok);
  const most = Math.max(0, ...buckets.map(({ scheduled }) => scheduled), ...(other ?? []).map((value) => value ?? 0));
  const bad = buckets.filter((bucket) => bucket.bad > 0);
  return {
    id: 'load',
    title: 'Load',
    about:
      'Requests by the second that they were scheduled in, and what came of them. A stroke at the foot marks each second with one that was not answered rightly: failed, wrong or dropped.',
    seconds,
    ...timesOf(buckets, true),
    series: [
      { name: 'answered rightly', look: 'blue', shape: 'area', values: buckets.map(({ ok }) => ok), text: perSecond },
      {
        name: 'not answered rightly',
        look: 'red strong',
        shape: 'fill',
        values: buckets.map(({ ok, bad }) => ok + bad),
        base: buckets.map(({ ok }) => ok),
        told: buckets.map((bucket) => bucket.bad),
        text: perSecond,
      },
      {
        name: 'scheduled',
        look: 'ink dotted',
        shape: 'line',
        values: buckets.map(({ scheduled }) => scheduled),
        text: perSecond,
      },
      ...otherSeries('answered rightly', other, perSecond),
    ],
    axis: linearAxis(most),
    axisText: numberText,
    marks: [
      {
        look: 'red rug',
        path: rugPath(
          bad.map((bucket) => xOf(bucket.at + bucket.seconds / 2, seconds)),
          HEIGHT - 4,
          HEIGHT,
        ),
      },
    ],
  };
}

const PERCENTILES: readonly { key: keyof Latency; name: string; look: string }[] = [
  { key: 'p50', name: 'p50', look: 'blue' },
  { key: 'p90', name: 'p90', look: 'sky dashed' },
  { key: 'p99', name: 'p99', look: 'orange thick' },
  { key: 'p999', name: 'p99.9', look: 'red dotted' },
];

export function latencyPlot(input: LoadInput): Plot | undefined {
  const { seconds, buckets } = input;
  const seen = [...buckets, ...(input.other ?? [])].flatMap(({ latency }) => (latency ? [latency] : []));
  if (seen.length === 0) return undefined;
  const length = buckets[0]?.seconds ?? 1;
  return {
    id: 'latency',
    title: 'Latency',
    about: `Percentiles of right and wrong answers, from when each request was scheduled, on a logarithmic scale${length > 1 ? `; the worst second of each ${length}` : ''}.`,
    seconds,
    ...timesOf(buckets, false),
    series: [
      ...PERCENTILES.map(({ key, name, look }) => ({
        name,
        look,
        shape: 'line' as const,
        values: buckets.map(({ latency }) => latency?.[key]),
        text: latencyText,
      })),
      ...otherSeries(
        'p99',
        beside(input, ({ latency }) => latency?.p99),
        latencyText,
      ),
    ],
    axis: logAxis(Math.min(...seen.map(({ p50 }) => p50)), Math.max(...seen.map(({ p999 }) => p999))),
    axisText: latencyText,
  };
}

const LOOKS = ['blue', 'orange', 'green', 'purple', 'sky', 'yellow'];

/** Answers by version, one upon the other. The versions that answered least are told together. */
export function versionsPlot({ seconds, buckets }: LoadInput): Plot | undefined {
  const totals = new Map<string, number>();
  for (const { versions } of buckets) {
    for (const [name, count] of Object.entries(versions)) totals.set(name, (totals.get(name) ?? 0) + count);
  }
  if (totals.size === 0) return undefined;
  const names = [...totals].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  const shown = names.slice(0, names.length > LOOKS.length ? LOOKS.length - 1 : LOOKS.length);
  shown.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const rest = names.filter((name) => !shown.includes(name));
  const sumOf = (bucket: Bucket, of: readonly string[]): number =>
    of.reduce((sum, name) => sum + (bucket.versions[name] ?? 0), 0);
  const layers = [
    ...shown.map((name) => [name, [name]] as const),
    ...(rest.length > 0 ? [[`${rest.length} others`, rest] as const] : []),
  ];
  const base = buckets.map(() => 0);
  const tops = layers.map(([, of]) => {
    const below = [...base];
    for (const [index, bucket] of buckets.entries()) base[index]! += sumOf(bucket, of);
    return { below, top: [...base] };
  });
  return {
    id: 'versions',
    title: 'Versions',
    about: 'Answers a second by the version that gave them, one upon the other.',
    seconds,
    ...timesOf(buckets, true),
    series: layers.map(([name, of], index) => ({
      name,
      look: `${LOOKS[index]!} stacked`,
      shape: 'area',
      values: tops[index]!.top,
      base: tops[index]!.below,
      told: buckets.map((bucket) => sumOf(bucket, of)),
      text: perSecond,
    })),
    axis: linearAxis(Math.max(0, ...base)),
    axisText: numberText,
  };
}

/** For a run without pods: what the driver had under way. */
export function underWayPlot({ seconds, buckets }: LoadInput): Plot {
  return {
    id: 'under-way',
    title: 'Requests under way',
    about: 'As the driver saw it at the end of each second.',
    seconds,
    ...timesOf(buckets, false),
    series: [
      {
        name: 'under way',
        look: 'purple',
        shape: 'line',
        values: buckets.map(({ inFlight }) => inFlight),
        text: numberText,
      },
    ],
    axis: linearAxis(Math.max(0, ...buckets.map(({ inFlight }) => inFlight))),
    axisText: numberText,
  };
}
