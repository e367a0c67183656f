import { setImmediate } from 'node:timers/promises';
import { readPolicy } from '../../../bench/hpa/manifest.ts';
import { MANIFEST_BEHAVIOR } from '../../../bench/hpa/manifest-behavior.ts';
import { parseUrl } from '../../../bench/load/command-options.ts';
import type { Schedule } from '../../../bench/load/schedule.ts';
import { parseSchedule } from '../../../bench/load/schedule-spec.ts';
import { askPod } from '../../../bench/plan/ask-pod.ts';
import { type Curve, curveOf, type Objective } from '../../../bench/plan/curve.ts';
import { smallestFixed } from '../../../bench/plan/fixed.ts';
import { lateText, measureCurve } from '../../../bench/plan/measure.ts';
import { ratesOf } from '../../../bench/plan/rates.ts';
import { readCurve } from '../../../bench/plan/read-curve.ts';
import { cells, HEAD, type Planned, premises, reasons } from '../../../bench/plan/report.ts';
import { type Fleet, runPlan } from '../../../bench/plan/run-plan.ts';
import { chosenOf, type Grid, searchPlans, targetsFor } from '../../../bench/plan/search.ts';
import { SNIPPET_KINDS, type SnippetKind, snippetOf } from '../../../bench/plan/snippet.ts';
import { KedgeError } from '../../../contract/errors.ts';
import { writeFileAtomic } from '../../../platform/atomic.ts';
import { systemClock } from '../../../platform/clock.ts';
import { JSON_OPTION, table } from '../../bucket.ts';
import { type Command, type Context, INTERRUPTED } from '../../command.ts';
import { asOptions, readNumbers } from '../../number-option.ts';
import { progressOn } from '../../progress.ts';
import { readText } from '../../read-text.ts';

const NUMBERS = {
  p99: { value: 'MS', about: 'objective: the 99th percentile of latency, in milliseconds', min: 0.001 },
  'in-flight': { value: 'N', about: 'objective: requests under way in a pod', min: 0.001 },
  share: { value: 'PART', about: 'part of the time that the objective must hold', default: 0.99, min: 0.01, max: 1 },
  headroom: { value: 'PART', about: 'plan for so much more than the load', default: 0.2, min: 0, max: 100 },
  'pod-start': { value: 'S', about: 'seconds until a new pod answers', default: 15, min: 0, max: 3_600 },
  drain: {
    value: 'S',
    about: 'seconds that a pod is paid for after it was told to go',
    default: 10,
    min: 0,
    max: 3_600,
  },
  least: { value: 'N', about: 'never fewer pods', default: 2, min: 1, max: 100_000, integer: true },
  most: { value: 'N', about: 'never more pods', default: 10_000, min: 1, max: 100_000, integer: true },
  queue: { value: 'S', about: 'seconds that a pod lets requests wait before it refuses', default: 1, min: 0, max: 600 },
  'metric-window': { value: 'S', about: 'the metric is an average over so long', default: 30, min: 1, max: 3_600 },
  'metric-delay': { value: 'S', about: 'and so old when it is read', default: 15, min: 0, max: 600 },
  sync: { value: 'S', about: 'the autoscaler looks so often', default: 15, min: 1, max: 600, integer: true },
  seconds: { value: 'S', about: 'with --measure: of each point', default: 8, min: 0.2, max: 600 },
  start: { value: 'RATE', about: 'with --measure: a rate that any pod bears', default: 20, min: 0.1 },
  outstanding: {
    value: 'N',
    about: 'with --measure: most requests under way',
    default: 256,
    min: 1,
    max: 10_000,
    integer: true,
  },
} as const;
type Numbers = ReturnType<typeof readNumbers<typeof NUMBERS>>;

export const command: Command = {
  summary: 'find the autoscaling that keeps an objective at the least cost',
  usage: '(--curve FILE | --measure URL --model NAME --body FILE) [--trace FILE | --load SPEC] --p99 MS',
  about: `Tries targets and bounds of an autoscaler on a load, each by a run of the HPA's own arithmetic over simulated pods that answer as one pod was
measured to, and prints the cheapest that keeps the objective: in pod-hours, pods that start or drain included. Thousands of pods take no longer than ten.

One pod is measured once, and its curve kept:
  kedge bench plan --measure http://127.0.0.1:8080 --metrics http://127.0.0.1:8081/metrics --model demand --body request.json --out curve.json
Without --metrics the number under way is reckoned from latencies; with it, it is what the autoscaler will see. A curve can also be what kedge bench load wrote
of one pod, or a CSV with the columns rate, inFlight and p99Ms.

The load is a CSV of seconds and requests a second, or a shape as kedge bench load takes it:
  kedge bench plan --curve curve.json --trace day.csv --p99 50
  kedge bench plan --curve curve.json --load sine:50..900/2h --p99 50 --share 0.999 --pod-start 40 --as hpa

Left out of the simulation: load that is shared unevenly, pods that fail, and CPU as a second metric, which can only add pods.`,
  options: {
    curve: { type: 'string', value: 'FILE', about: 'what one pod answers: JSON or CSV' },
    measure: { type: 'string', value: 'URL', about: 'measure one pod at this address instead' },
    metrics: { type: 'string', value: 'URL', about: 'with --measure: its metrics, for the number under way' },
    model: { type: 'string', value: 'NAME', about: 'with --measure: the model that is asked' },
    body: { type: 'string', value: 'FILE', about: 'with --measure: the body of a request, JSON' },
    out: { type: 'string', short: 'o', value: 'FILE', about: 'with --measure: where the curve is kept' },
    trace: { type: 'string', value: 'FILE', about: 'the load: CSV of seconds and rate' },
    load: { type: 'string', value: 'SPEC', about: 'the load: a shape' },
    hpa: {
      type: 'string',
      value: 'FILE',
      about: 'a HorizontalPodAutoscaler or ScaledObject whose behavior is kept (that of the manifests of Kedge)',
    },
    targets: { type: 'string', value: 'LIST', about: 'targets to look at: 2,4,8 (all up to the peak of a pod)' },
    as: { type: 'string', value: 'KIND', about: `the plan as ${SNIPPET_KINDS.join(' or ')} (${SNIPPET_KINDS[0]})` },
    ...asOptions(NUMBERS),
    json: JSON_OPTION,
  },
  async run(context) {
    try {
      return await run(context);
    } catch (error) {
      if (!context.signal.aborted) throw error;
      context.err.write('kedge: interrupted.\n');
      return INTERRUPTED;
    }
  },
};

async function run(context: Context): Promise<number | undefined> {
  const { values, out } = context;
  const numbers = readNumbers(NUMBERS, values);
  const kind = kindOf(values['as']);
  const spec = loadOf(values);
  // Before a pod is measured, which takes minutes.
  const wanted = spec === undefined ? undefined : wantedOf(context, numbers, spec);
  const curve = await curveFrom(context, numbers);
  if (wanted === undefined) return undefined;
  const planned = await plan(context, numbers, { curve, ...wanted });
  const snippet = planned.chosen && snippetOf(kind, planned.chosen.plan, planned.fleet);
  if (values['json']) out.write(`${JSON.stringify(documentOf(planned, snippet), null, 2)}\n`);
  else out.write(textOf(planned, snippet));
  return planned.chosen ? 0 : 1;
}

/** What is planned for, and within what. */
interface Wanted {
  schedule: Schedule;
  objective: Objective;
  behavior: Fleet['behavior'];
  targets: number[] | undefined;
}

function wantedOf({ values }: Context, numbers: Numbers, spec: string): Wanted {
  const objective: Objective = { p99Ms: numbers.p99, inFlight: numbers['in-flight'], share: numbers.share };
  if (objective.p99Ms === undefined && objective.inFlight === undefined)
    throw invalid('say what must hold: --p99 MS, --in-flight N, or both.');
  if (numbers.least > numbers.most) throw invalid('--least must not be over --most.');
  const hpa = values['hpa'] as string | undefined;
  return {
    schedule: parseSchedule(spec, readText),
    objective,
    behavior: hpa === undefined ? MANIFEST_BEHAVIOR : readPolicy(readText(hpa), hpa).behavior,
    targets: targetsOf(values['targets']),
  };
}

function invalid(problem: string): KedgeError {
  return new KedgeError('config-invalid', problem);
}

function kindOf(text: Context['values'][string]): SnippetKind {
  const kind = SNIPPET_KINDS.find((one) => one === (text ?? SNIPPET_KINDS[0]));
  if (kind) return kind;
  throw invalid(`--as must be ${SNIPPET_KINDS.join(' or ')}, not '${text}'.`);
}

/** @returns the form of a load; undefined where a curve alone is wanted */
function loadOf({ trace, load, measure }: Context['values']): string | undefined {
  if (trace !== undefined && load !== undefined) throw invalid('give --trace or --load, not both.');
  if (trace !== undefined) return `trace:${trace}`;
  if (load === undefined && measure === undefined) throw invalid('say what the load is: --trace FILE or --load SPEC.');
  return load as string | undefined;
}

async function curveFrom(context: Context, numbers: Numbers): Promise<Curve> {
  const { curve, measure, model, body, metrics, out: file } = context.values as Record<string, string | undefined>;
  if (curve !== undefined && measure !== undefined) throw invalid('give --curve or --measure, not both.');
  if (curve !== undefined) return readCurve(readText(curve), curve);
  if (measure === undefined) throw invalid('say what a pod answers: --curve FILE, or --measure URL.');
  if (model === undefined || body === undefined) throw invalid('--measure needs --model NAME and --body FILE.');
  const request = { model, weight: 1, body: readText(body) };
  const pod = { url: parseUrl(measure), request, metricsUrl: metrics, signal: context.signal };
  const points = await measureCurve(askPod({ ...pod, maxOutstanding: numbers.outstanding }), {
    startRate: numbers.start,
    seconds: numbers.seconds,
    onTrial: (done, of, rate) => {
      const what = of === 0 ? 'looking for the peak' : `point ${done + 1} of ${of}`;
      context.err.write(`${what}: ${Math.round(rate)} requests a second\n`);
    },
    onLate: (rate, behindP99) => {
      context.err.write(`${lateText(rate, behindP99)}\n`);
    },
  });
  const text = `${JSON.stringify({ measured: measure, model, points }, null, 2)}\n`;
  if (file === undefined) context.out.write(text);
  else await writeFileAtomic(file, text);
  return curveOf(points);
}

/** A step for each second of a load up to this long, in seconds; for longer ones a third of the sync period. */
const FINE_SECONDS = 3 * 3_600;

async function plan(
  { err, signal }: Context,
  numbers: Numbers,
  { curve, schedule, objective, behavior, targets: asked }: Wanted & { curve: Curve },
): Promise<Planned> {
  const seconds = schedule.segments.at(-1)!.to;
  const stepSeconds = seconds <= FINE_SECONDS ? 1 : numbers.sync / 3;
  const rates = ratesOf(schedule, stepSeconds);
  const base: Fleet = {
    curve,
    rates,
    stepSeconds,
    podStartSeconds: numbers['pod-start'],
    drainSeconds: numbers.drain,
    metricWindowSeconds: numbers['metric-window'],
    metricDelaySeconds: numbers['metric-delay'],
    queueSeconds: numbers.queue,
    syncSeconds: numbers.sync,
    behavior,
  };
  const fleet = { ...base, rates: rates.map((rate) => rate * (1 + numbers.headroom)) };
  const targets = asked ?? targetsFor(curve);
  const grid: Grid = { targets, least: numbers.least, most: numbers.most };
  const progress = progressOn(err, systemClock);
  const search = searchPlans(fleet, objective, grid);
  for (;;) {
    const { value, done } = search.next();
    if (done) {
      progress.end();
      const chosen = chosenOf(value);
      const asItIs = chosen && { plan: chosen.plan, outcome: runPlan(chosen.plan, base, objective) };
      const fixed = smallestFixed(fleet, objective, numbers.most);
      return { fleet, objective, headroom: numbers.headroom, rows: value, chosen, asItIs, fixed };
    }
    progress.show({ phase: 'plan', bytes: value, totalBytes: targets.length, unit: 'targets' });
    await setImmediate();
    signal.throwIfAborted();
  }
}

function targetsOf(text: Context['values'][string]): number[] | undefined {
  if (text === undefined) return undefined;
  const targets = String(text).split(',').map(Number);
  // The API counts in thousandths.
  if (targets.every((target) => target >= 0.001)) return [...new Set(targets)].sort((a, b) => a - b);
  throw invalid(`--targets must be numbers over 0 such as 2,4,8, not '${text}'.`);
}

function textOf(planned: Planned, snippet: string | undefined): string {
  const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('');
  const parts = [lines(premises(planned)), table(HEAD, cells(planned)), lines(reasons(planned))];
  return [...parts, ...(snippet === undefined ? [] : [snippet])].join('\n');
}

function documentOf({ fleet, objective, headroom, rows, chosen, asItIs, fixed }: Planned, snippet: string | undefined) {
  const { curve, rates: _, behavior: __, ...settings } = fleet;
  return { curve, objective, headroom, settings, rows, chosen, asItIs, fixed, snippet };
}
