import { numberText } from '../format.ts';
import { linearAxis } from '../page/axis.ts';
import type { Plot, Series } from '../page/plot.ts';
import type { PodRecord, ScalingRecord } from '../record.ts';
import { desiredOf, readyOf, type Steps, valueAt } from '../timeline.ts';

export interface ScalingInput {
  seconds: number;
  scaling: ScalingRecord;
  /** The run that it is compared with. */
  other?: ScalingRecord;
}

const timesOf = (...all: readonly Steps[]): number[] =>
  [...new Set(all.flatMap((steps) => steps.map(([at]) => at)))].sort((a, b) => a - b);

/** The values of steps at each of some times. */
const at = (steps: Steps, times: readonly number[]): (number | undefined)[] =>
  times.map((time) => valueAt(steps, time));

export function replicasPlot({ seconds, scaling, other }: ScalingInput): Plot {
  const { minReplicas, maxReplicas } = scaling.policy;
  const wanted: Steps = scaling.ticks.flatMap(({ at, wanted }) =>
    wanted === undefined ? [] : [[at, wanted] as const],
  );
  const [desired, ready, before] = [desiredOf(scaling), readyOf(scaling), other ? readyOf(other) : []];
  const times = timesOf(wanted, desired, ready, before);
  const reached = [desired, ready, before].flat().map(([, value]) => value);
  const most = Math.max(1, ...reached);
  // The bound is drawn where it tells something of what happened; what was wanted beyond it is cut off there, and told by the pointer.
  const top = maxReplicas <= most * 3 ? Math.max(most, maxReplicas) : most;
  const asked = at(wanted, times);
  const axis = linearAxis(top, top < 4 ? Math.ceil(top) : 4);
  const ceiling = axis.ticks.at(-1)!;
  const series: Series[] = [
    { name: 'ready', look: 'green', shape: 'step-area', values: at(ready, times), text: numberText },
  ];
  if (wanted.length > 0)
    series.push({
      name: 'asked for by the metrics',
      look: 'purple dotted',
      shape: 'step',
      values: asked.map((value) => (value === undefined ? undefined : Math.min(value, ceiling))),
      told: asked,
      text: numberText,
    });
  series.push({ name: 'desired', look: 'blue thick', shape: 'step', values: at(desired, times), text: numberText });
  if (other)
    series.push({
      name: 'ready, other run',
      look: 'grey dashed',
      shape: 'step',
      values: at(before, times),
      text: numberText,
    });
  return {
    id: 'replicas',
    title: 'Replicas',
    about: `${wanted.length > 0 ? 'What the metrics asked for before any bound or policy, what was then decided, and what was ready.' : 'What was decided, and what was ready.'} ${BY[scaling.by]}`,
    seconds,
    times,
    series,
    axis,
    axisText: numberText,
    rules: [
      { value: minReplicas, name: `min ${minReplicas}`, look: 'grey dashed thin' },
      ...(maxReplicas <= ceiling ? [{ value: maxReplicas, name: `max ${maxReplicas}`, look: 'grey dashed thin' }] : []),
    ],
  };
}

const BY = {
  model: 'Decided by the arithmetic of the HPA in this program.',
  cluster:
    'Decided by the controller of a cluster, which does not tell what its metrics asked for before bounds and policy.',
};

export function inFlightPlot({ seconds, scaling, other }: ScalingInput): Plot | undefined {
  const pods = scaling.pods.filter(({ inFlight }) => inFlight.length > 0);
  if (pods.length === 0) return undefined;
  const times = gridOf(pods, seconds);
  const each = pods.map((pod) => onGrid(pod, times));
  const summary = times.map((_, index) => {
    const seen = each.flatMap((values) => values[index] ?? []);
    if (seen.length === 0) return undefined;
    return { mean: seen.reduce((sum, value) => sum + value, 0) / seen.length, most: Math.max(...seen) };
  });
  const target = scaling.policy.inFlightTarget;
  const before = other?.pods.filter(({ inFlight }) => inFlight.length > 0).map((pod) => onGrid(pod, times));
  const values = [...summary.map((one) => one?.most ?? 0), target ?? 0];
  return {
    id: 'in-flight',
    title: 'In flight per pod',
    about: 'Requests under way in each ready pod: a thin line for each, and their mean.',
    seconds,
    times,
    series: [
      {
        name: 'the fullest',
        look: 'orange thin',
        shape: 'line',
        values: summary.map((one) => one?.most),
        text: numberText,
      },
      {
        name: 'mean of the pods',
        look: 'blue thick',
        shape: 'line',
        values: summary.map((one) => one?.mean),
        text: numberText,
      },
      ...(before ? [meanOf(before, times)] : []),
    ],
    axis: linearAxis(Math.max(...values)),
    axisText: numberText,
    behind: each,
    rules: target === undefined ? [] : [{ value: target, name: `target ${numberText(target)}`, look: 'green dashed' }],
  };
}

function meanOf(each: readonly (readonly (number | undefined)[])[], times: readonly number[]): Series {
  const values = times.map((_, index) => {
    const seen = each.flatMap((one) => one[index] ?? []);
    return seen.length === 0 ? undefined : seen.reduce((sum, value) => sum + value, 0) / seen.length;
  });
  return { name: 'mean, other run', look: 'grey dashed', shape: 'line', values, text: numberText };
}

/** Looks at several pods come at slightly different times: they are put on one grid, not finer than the looks. */
function gridOf(pods: readonly PodRecord[], seconds: number): number[] {
  const gaps = pods.flatMap(({ inFlight }) => inFlight.slice(1).map(([at], index) => at - inFlight[index]![0]));
  gaps.sort((a, b) => a - b);
  const step = Math.max(seconds / 600, gaps[Math.floor(gaps.length / 2)] ?? 1);
  return Array.from({ length: Math.ceil(seconds / step) }, (_, index) => Number((index * step).toFixed(3)));
}

/** The last look within each step of the grid; none where there was none, but for a single step: a look may come a little late. */
function onGrid({ inFlight }: PodRecord, times: readonly number[]): (number | undefined)[] {
  const step = (times[1] ?? 1) - (times[0] ?? 0);
  const values: (number | undefined)[] = times.map(() => undefined);
  for (const [at, value] of inFlight) {
    const index = Math.min(times.length - 1, Math.round(at / step));
    if (index >= 0) values[index] = value;
  }
  return values.map((value, index) => value ?? (values[index + 1] === undefined ? undefined : values[index - 1]));
}

/** Each metric as the controller saw it, in parts of its target: all want to be at 1. */
export function metricsPlot({ seconds, scaling }: ScalingInput): Plot | undefined {
  const names = [...new Set(scaling.ticks.flatMap(({ metrics }) => metrics.map(({ name }) => name)))];
  if (names.length === 0) return undefined;
  const looks = ['blue', 'orange dashed', 'green dotted', 'purple', 'sky dashed', 'red dotted'];
  const series = names.map((name, index): Series => {
    const seen = scaling.ticks.map(({ metrics }) => metrics.find((metric) => metric.name === name));
    const target = seen.find((metric) => metric)!.target;
    return {
      name,
      look: looks[index % looks.length]!,
      shape: 'step',
      values: seen.map((metric) => (metric?.value === undefined ? undefined : metric.value / metric.target)),
      told: seen.map((metric) => metric?.value),
      text: (value) => `${numberText(value)} (target ${numberText(target)})`,
    };
  });
  const most = Math.max(1, ...series.flatMap(({ values }) => values.map((value) => value ?? 0)));
  return {
    id: 'metrics',
    title: 'Metrics at each sync',
    about: 'What the controller saw, in parts of the target: above 1 asks for more replicas, below for fewer.',
    seconds,
    times: scaling.ticks.map(({ at }) => at),
    series,
    axis: linearAxis(most),
    axisText: (value) => `×${numberText(value)}`,
    rules: [{ value: 1, name: 'target', look: 'green dashed' }],
  };
}
