import { readFileSync } from 'node:fs';
import { readBodies } from '../../bench/load/body-files.ts';
import { parseTarget, readByModel } from '../../bench/load/command-options.ts';
import type { LoadOptions, LoadRequest } from '../../bench/load/load-options.ts';
import { parseSchedule } from '../../bench/load/schedule-spec.ts';
import { requestsFor } from '../../bench/load/targets.ts';
import type { RunRecord } from '../../bench/report/record.ts';
import type { CommandOption, Context } from '../command.ts';
import { RECORD_OPTIONS } from '../conclude-bench.ts';
import { asOptions, readNumbers } from '../number-option.ts';
import { readText } from '../read-text.ts';

type Values = Context['values'];

/** Up to more than one pod can take, and back: long enough for the window of the scale-down and its policy. */
const DEFAULT_LOAD = 'steps:4,14,28/300s+constant:4/450s';
/** From nothing, up to more than one pod can take, and to nothing again: for as long as the cooldown of KEDA and its next poll. */
export const LOAD_FROM_ZERO = 'constant:0/30s+steps:4,14/240s+constant:0/390s';

/** What must hold where nothing else is asserted. A run that never scaled proves nothing. Pure. */
export function defaultAssertions({ scaling }: RunRecord): string {
  const reaches = (scaling?.policy.minReplicas ?? 0) + 1;
  return `max_error_rate: 0\nmax_wrong: 0\nreaches: ${reaches}\nreturns_to_min_within_s: 600\n`;
}

export const NUMBERS = {
  min: { about: 'least replicas, whatever the policy says', value: 'N', min: 1, integer: true },
  max: { about: 'most replicas, whatever the policy says', value: 'N', min: 1, integer: true },
  compress: { about: 'seconds of the run for one on the wall', value: 'TIMES', min: 0.1, max: 60, default: 1 },
  'service-ms': { about: 'how long each of --capacity takes at least', value: 'MS', min: 1, default: 500 },
  'start-delay': { about: 'seconds until the process of a new pod starts', value: 'S', min: 0, default: 0 },
  'pre-stop': { about: 'seconds from no more requests to SIGTERM', value: 'S', min: 0, default: 5 },
  scrape: { about: 'seconds from one scrape of a pod to the next', value: 'S', min: 0.5, default: 10 },
  window: { about: 'seconds that the rate is taken over; as the policy queries it if absent', value: 'S', min: 1 },
  sync: { about: 'seconds from one sync of the controller to the next', value: 'S', min: 1, default: 15 },
  'cpu-request': { about: 'cores that a pod requests', value: 'CORES', min: 0.01, default: 1 },
  outstanding: {
    about: 'most requests under way; more are dropped',
    value: 'N',
    min: 1,
    integer: true,
    default: 1_000,
  },
  timeout: { about: 'seconds of the wall until a request has failed', value: 'S', min: 0.001, default: 60 },
  reconnect: {
    about: 'with --cluster: requests until a connection is closed, as a Service balances connections',
    value: 'N',
    min: 1,
    integer: true,
    default: 50,
  },
  look: { about: 'with --cluster: seconds from one look at it to the next', value: 'S', min: 0.5, default: 1 },
  seed: { about: 'of what is drawn', value: 'N', min: 0, integer: true, default: 1 },
} as const;

export const OPTIONS: Record<string, CommandOption> = {
  hpa: {
    type: 'string',
    value: 'FILE',
    about:
      'HorizontalPodAutoscaler or ScaledObject to run, or a folder that holds it; that of manifests/components/keda if absent',
  },
  load: {
    type: 'string',
    value: 'SHAPE',
    about: `requests per second of the wall over the run (${DEFAULT_LOAD}; ${LOAD_FROM_ZERO} from zero)`,
  },
  capacity: { type: 'string', value: 'N or N/s', about: 'what a pod is declared to take: at a time, or a second' },
  ...asOptions(NUMBERS),
  'kill-at': { type: 'string', multiple: true, value: 'S', about: 'kill a ready pod (-9) at that second' },
  pause: { type: 'string', multiple: true, value: 'S:FOR', about: 'stop a ready pod at that second, for so long' },
  volume: { type: 'string', value: 'DIR', about: 'folder that a loader filled; a model is made for the run if absent' },
  model: {
    type: 'string',
    multiple: true,
    value: 'NAME[=WEIGHT]',
    about: 'a model to ask; all that are ready if absent',
  },
  body: { type: 'string', multiple: true, value: '[MODEL=]FILE', about: 'its requests; made up if absent' },
  cluster: { type: 'boolean', about: 'a cluster that is there, by kubectl, in place of pods of this machine' },
  url: { type: 'string', value: 'URL', about: 'with --cluster: where requests go' },
  context: { type: 'string', value: 'NAME', about: 'with --cluster: of the kubeconfig; its current one if absent' },
  namespace: { type: 'string', value: 'NAME', about: 'with --cluster: of the autoscaler (kedge)' },
  autoscaler: { type: 'string', value: 'NAME', about: 'with --cluster: the only one of the namespace if absent' },
  ...RECORD_OPTIONS,
};

/** What is sent, but for where and what of. @param preset the load where none is given @throws KedgeError `config-invalid` */
export function loadOf(
  values: Values,
  preset = DEFAULT_LOAD,
): Pick<LoadOptions, 'schedule' | 'seed' | 'maxOutstanding' | 'timeoutMs'> {
  const { seed, outstanding, timeout } = readNumbers(NUMBERS, values);
  const schedule = parseSchedule(textIn(values, 'load') ?? preset, readText);
  return { schedule, seed, maxOutstanding: outstanding, timeoutMs: timeout * 1_000 };
}

/** Requests for the models of a server. @throws KedgeError `config-invalid` where one does not take them */
export function requestsAt(url: string, values: Values): Promise<LoadRequest[]> {
  const { seed, timeout } = readNumbers(NUMBERS, values);
  return requestsFor({
    url,
    targets: listIn(values, 'model').map(parseTarget),
    bodies: readByModel('body', listIn(values, 'body'), readFileSync, readBodies),
    wanted: new Map(),
    headers: {},
    binary: false,
    check: 'same',
    count: 16,
    rows: 1,
    seed,
    timeoutMs: timeout * 1_000,
  });
}

/** What was given and what was taken for it, for a record. @param preset the load where none is given */
export function settingsOf(values: Values, preset = DEFAULT_LOAD): RunRecord['settings'] {
  const given = Object.entries({ load: preset, ...values, ...readNumbers(NUMBERS, values) });
  return Object.fromEntries(
    given
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, Array.isArray(value) ? value.join(' ') : (value as string | number | boolean)]),
  );
}

export function textIn(values: Values, name: string): string | undefined {
  return values[name] as string | undefined;
}

export function listIn(values: Values, name: string): string[] {
  return (values[name] as string[] | undefined) ?? [];
}
