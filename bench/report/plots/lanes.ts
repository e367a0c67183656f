import { html, type Markup } from '../page/markup.ts';
import { drawing, figure, gutter, legendItem, percent, readTable, xOf } from '../page/plot.ts';
import { boxPath, HEIGHT } from '../page/shapes.ts';
import type { PodRecord, ScalingRecord, ScalingTick } from '../record.ts';

/** Something that lasts, in a row of its own kind. */
interface Span {
  from: number;
  until: number;
  look: string;
  /** Written into it where there is room. */
  text?: string;
  /** Shares of the height of its lane that it takes; all of it if absent. */
  part?: number;
}

interface Lanes {
  id: string;
  title: string;
  about: string;
  seconds: number;
  lanes: readonly { name: string; spans: readonly Span[] }[];
  legend: readonly Markup[];
  table: Markup;
}

function lanesFigure({ id, title, about, seconds, lanes, legend, table }: Lanes): Markup {
  const height = HEIGHT / lanes.length;
  const paths = lanes.flatMap(({ spans }, row) =>
    spans.map(({ from, until, look, part = 1 }) => {
      const inset = height * (0.12 + (0.76 * (1 - part)) / 2);
      const path = boxPath(xOf(from, seconds), xOf(until, seconds), row * height + inset, (row + 1) * height - inset);
      return html`<path class="span ${look}" d="${path}"></path>`;
    }),
  );
  const texts = lanes.flatMap(({ spans }, row) =>
    spans
      .filter(({ text }) => text)
      .map(
        ({ from, until, text, look }) =>
          html`<span class="span-text ${look}" style="left:${percent(from / seconds)};width:${percent((until - from) / seconds)};top:${percent(row / lanes.length)};height:${percent(1 / lanes.length)}">${text}</span>`,
      ),
  );
  const names = lanes.map(({ name }, row) => ({ at: 1 - (row + 0.5) / lanes.length, text: name }));
  return figure({
    id,
    title,
    about,
    seconds,
    legend,
    className: lanes.length > 24 ? 'lanes many' : 'lanes',
    box: html`${gutter(names, 'lane-names')}
      <div class="area" style="--lanes:${lanes.length}">${drawing(title, about, html`${paths}`)}${texts}</div>`,
    table,
  });
}

/** What the reasons of Kubernetes mean, and how each is drawn. */
const REASONS: Readonly<Record<string, { look: string; about: string }>> = {
  ReadyForNewScale: { look: 'calm', about: 'nothing to change' },
  SucceededGetScale: { look: 'calm', about: 'the scale could be read' },
  SucceededRescale: { look: 'blue', about: 'replicas were changed' },
  ScaleUpStabilized: { look: 'sky', about: 'held back: a window wants the lowest of late' },
  ScaleDownStabilized: { look: 'sky', about: 'held up: a window wants the highest of late' },
  ValidMetricFound: { look: 'calm', about: 'the metrics could be read' },
  ScalingDisabled: {
    look: 'yellow',
    about: 'zero replicas: the HPA stands still until KEDA, or someone, asks for one',
  },
  KEDAScaleTargetActivated: { look: 'green', about: 'KEDA asked for a pod' },
  KEDAScaleTargetDeactivated: { look: 'purple', about: 'KEDA put all to sleep' },
  DesiredWithinRange: { look: 'calm', about: 'no bound held it back' },
  ScaleUpLimit: { look: 'orange', about: 'a scaleUp policy held it back' },
  ScaleDownLimit: { look: 'orange', about: 'a scaleDown policy held it back' },
  TooManyReplicas: { look: 'purple', about: 'maxReplicas held it back' },
  TooFewReplicas: { look: 'purple', about: 'minReplicas held it up' },
};
const lookOf = (reason: string): string => REASONS[reason]?.look ?? (reason.startsWith('Failed') ? 'red' : 'grey');
const aboutOf = (reason: string): string =>
  REASONS[reason]?.about ??
  (reason.startsWith('Failed') ? 'a metric or the scale could not be read' : 'as Kubernetes words it');

const CONDITIONS = [
  { name: 'AbleToScale', key: 'ableToScale' },
  { name: 'ScalingActive', key: 'scalingActive' },
  { name: 'ScalingLimited', key: 'scalingLimited' },
  { name: 'KEDA', key: 'keda' },
] as const;

export function reasonsFigure(scaling: ScalingRecord, seconds: number): Markup | undefined {
  const { ticks } = scaling;
  const seen = [...new Set(ticks.flatMap((tick) => CONDITIONS.flatMap(({ key }) => tick[key] ?? [])))];
  if (seen.length === 0) return undefined;
  // Most runs have no KEDA in them.
  const shown = CONDITIONS.filter(({ key }) => key !== 'keda' || ticks.some(({ keda }) => keda !== undefined));
  return lanesFigure({
    id: 'reasons',
    title: 'Why it scaled, and why not',
    about: 'Reasons of the conditions that the controller sets at each sync.',
    seconds,
    lanes: shown.map(({ name, key }) => ({ name, spans: reasonSpans(ticks, key, seconds) })),
    legend: [
      ...shown.map(
        ({ name }, column) => html`<li class="reading">${name} <output data-column="${column}"></output></li>`,
      ),
      html`<li class="break" aria-hidden="true"></li>`,
      ...seen
        .filter((reason) => lookOf(reason) !== 'calm')
        .map((reason) => legendItem(`${reason}: ${aboutOf(reason)}`, `${lookOf(reason)} span`, true)),
      ...(seen.some((reason) => lookOf(reason) === 'calm') ? [legendItem('nothing held it', 'calm span', true)] : []),
    ],
    table: readTable(
      shown.map(({ name }) => name),
      ticks.map((tick) => ({ at: tick.at, cells: shown.map(({ key }) => tick[key] ?? '–') })),
      seconds,
    ),
  });
}

/** Syncs in a row with one reason are one span. */
function reasonSpans(ticks: readonly ScalingTick[], key: (typeof CONDITIONS)[number]['key'], seconds: number): Span[] {
  const spans: Span[] = [];
  for (const [index, tick] of ticks.entries()) {
    const reason = tick[key];
    const until = ticks[index + 1]?.at ?? seconds;
    const last = spans.at(-1);
    if (last && last.text === reason && last.until === tick.at) last.until = until;
    else if (reason) spans.push({ from: tick.at, until, text: reason, look: lookOf(reason) });
  }
  return spans;
}

type PodState = PodRecord['states'][number]['state'];
/** Told apart by height too, for whoever does not see the colours. */
const STATES: Readonly<Record<Exclude<PodState, 'gone'>, { look: string; part: number }>> = {
  starting: { look: 'yellow', part: 0.45 },
  ready: { look: 'green', part: 1 },
  unready: { look: 'red', part: 0.8 },
  draining: { look: 'purple', part: 0.45 },
};
const STATE_NAMES = Object.keys(STATES) as (keyof typeof STATES)[];
const MOST_PODS = 100;

export function podsFigure({ pods }: ScalingRecord, seconds: number): Markup | undefined {
  if (pods.length === 0) return undefined;
  const shown = pods.slice(0, MOST_PODS);
  const prefix = sharedPrefix(pods.map(({ name }) => name));
  const times = [...new Set(pods.flatMap(({ states }) => states.map(({ at }) => at)))].sort((a, b) => a - b);
  const countAt = (time: number, state: PodState): number =>
    pods.filter(({ states }) => states.findLast(({ at }) => at <= time)?.state === state).length;
  return lanesFigure({
    id: 'pods',
    title: 'Life of the pods',
    about: `A row for each pod, from its start until it is gone${shown.length < pods.length ? `; the first ${MOST_PODS} of ${pods.length}` : ''}.`,
    seconds,
    lanes: shown.map((pod) => ({ name: pod.name.slice(prefix), spans: podSpans(pod, seconds) })),
    legend: STATE_NAMES.map((state, column) => legendItem(state, `${STATES[state].look} span`, true, column)),
    table: html`${readTable(
      STATE_NAMES,
      times.map((at) => ({ at, cells: STATE_NAMES.map((state) => String(countAt(at, state))) })),
      seconds,
    )}${podsTable(pods)}`,
  });
}

/** Names that stand beside a row as they are. */
const SHORT = 12;

/** How many letters names have in common, up to a dash: pods of a Deployment differ in their ends alone. */
function sharedPrefix(names: readonly string[]): number {
  const [first = ''] = names;
  let length = 0;
  if (names.length < 2 || first.length <= SHORT) return 0;
  while (length < first.length && names.every((name) => name[length] === first[length])) length += 1;
  return first.lastIndexOf('-', length - 1) + 1;
}

function podSpans({ states }: PodRecord, seconds: number): Span[] {
  return states.flatMap(({ at, state }, index): Span[] =>
    state === 'gone' ? [] : [{ from: at, until: states[index + 1]?.at ?? seconds, ...STATES[state] }],
  );
}

function podsTable(pods: readonly PodRecord[]): Markup {
  return html`<table><thead><tr><th scope="col">pod</th><th scope="col">its states, in seconds</th></tr></thead>
    <tbody>${pods.map(({ name, states }) => html`<tr><th scope="row">${name}</th><td>${states.map(({ at, state, why }) => `${Math.round(at * 10) / 10} ${state}${why ? ` (${why})` : ''}`).join(', ')}</td></tr>`)}</tbody></table>`;
}
