import { SNIPPET_KINDS } from '../../bench/plan/snippet.ts';
import { JSON_OPTION } from '../bucket.ts';
import type { CommandOption } from '../command.ts';
import { asOptions, type readNumbers } from '../number-option.ts';

export const NUMBERS = {
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
export type Numbers = ReturnType<typeof readNumbers<typeof NUMBERS>>;

export const OPTIONS: Record<string, CommandOption> = {
  curve: { type: 'string', value: 'FILE', about: 'what one pod answers: JSON or CSV' },
  measure: { type: 'string', value: 'URL', about: 'measure one pod at this address instead' },
  metrics: { type: 'string', value: 'URL', about: 'with --measure: its metrics, for the number under way' },
  model: { type: 'string', value: 'NAME', about: 'with --measure: the model that is asked' },
  body: { type: 'string', value: 'FILE', about: 'with --measure: the body of a request, JSON' },
  out: { type: 'string', short: 'o', value: 'FILE', about: 'with --measure: where the curve is kept' },
  trace: {
    type: 'string',
    value: 'FILE',
    about: 'the load: CSV of seconds and rate; as --load trace:FILE,times=2 it can be changed',
  },
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
};
