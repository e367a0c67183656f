import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseFaults } from '../../../bench/autoscale/faults.ts';
import { type LocalRunOptions, runLocally } from '../../../bench/autoscale/local-run.ts';
import { localPolicy, metricText } from '../../../bench/autoscale/policy.ts';
import { recordOf } from '../../../bench/autoscale/record.ts';
import { builtInTarget, type LoadTarget, volumeTarget } from '../../../bench/autoscale/target.ts';
import { tickLine } from '../../../bench/autoscale/view.ts';
import { bundleForPods, type PodProgram } from '../../../bench/cluster/program.ts';
import { parseCapacity } from '../../../bench/cluster/proxy/capacity.ts';
import { DEFAULT_FLAGS } from '../../../bench/hpa/spec.ts';
import { durationOf } from '../../../bench/load/schedule.ts';
import { parseSchedule, SHAPES } from '../../../bench/load/schedule-spec.ts';
import { judge, readAssertions } from '../../../bench/report/assertions.ts';
import { renderReport } from '../../../bench/report/html.ts';
import type { RunRecord } from '../../../bench/report/record.ts';
import { KedgeError, messageOf } from '../../../contract/errors.ts';
import { isoTime, systemClock } from '../../../platform/clock.ts';
import type { Command, CommandOption, Context } from '../../command.ts';
import { asOptions, readNumbers } from '../../number-option.ts';

/** What a shell reports for a program that Ctrl-C ended. */
const INTERRUPTED = 130;

/** Up to more than one pod can take, and back: long enough for the window of the scale-down and its policy. */
const DEFAULT_LOAD = 'steps:4,14,28/300s+constant:4/450s';
const DEFAULT_ASSERTIONS = 'max_error_rate: 0\nmax_wrong: 0\nreturns_to_min_within_s: 600\n';

const NUMBERS = {
  min: { about: 'least replicas, whatever the policy says', value: 'N', min: 1, integer: true },
  max: { about: 'most replicas, whatever the policy says', value: 'N', min: 1, integer: true },
  compress: { about: 'seconds of the run for one on the wall', value: 'TIMES', min: 0.1, max: 60, default: 1 },
  'service-ms': { about: 'how long each of --capacity takes at least', value: 'MS', min: 1, default: 500 },
  'start-delay': { about: 'seconds until the process of a new pod starts', value: 'S', min: 0, default: 0 },
  'pre-stop': { about: 'seconds from no more requests to SIGTERM', value: 'S', min: 0, default: 5 },
  scrape: { about: 'seconds from one scrape of a pod to the next', value: 'S', min: 0.5, default: 10 },
  window: { about: 'seconds that the rate is taken over; as the policy queries it', value: 'S', min: 1 },
  sync: { about: 'seconds from one sync of the controller to the next', value: 'S', min: 1, default: 15 },
  'cpu-request': { about: 'cores that a pod requests', value: 'CORES', min: 0.01, default: 1 },
  'max-in-flight': {
    about: 'most requests under way; more are dropped',
    value: 'N',
    min: 1,
    integer: true,
    default: 512,
  },
  'timeout-ms': { about: 'a request that takes longer failed', value: 'MS', min: 1, default: 30_000 },
  seed: { about: 'of random arrivals', value: 'N', min: 0, integer: true, default: 1 },
} as const;

const OPTIONS: Record<string, CommandOption> = {
  hpa: {
    type: 'string',
    value: 'FILE',
    about: 'HorizontalPodAutoscaler or ScaledObject to run; that of the manifests’ KEDA component if absent',
  },
  load: { type: 'string', value: 'SHAPE', about: `requests per second of the wall over the run (${DEFAULT_LOAD})` },
  capacity: {
    type: 'string',
    value: 'N|N/s',
    about: 'what each pod is declared to take: so many at a time, or so many a second',
  },
  ...asOptions(NUMBERS),
  'kill-at': { type: 'string', multiple: true, value: 'S', about: 'kill a ready pod (-9) at that second' },
  pause: { type: 'string', multiple: true, value: 'S:FOR', about: 'stop a ready pod at a second, for so long' },
  volume: { type: 'string', value: 'DIR', env: 'KEDGE_VOLUME', about: 'folder that a loader filled, for --model' },
  model: { type: 'string', value: 'NAME', about: 'a model of the volume; one that is made for the run if absent' },
  body: { type: 'string', value: 'FILE', about: 'JSON of an infer request for it' },
  json: { type: 'string', value: 'FILE', about: 'write the record of the run' },
  report: { type: 'string', value: 'FILE', about: 'write the report as HTML' },
  assert: { type: 'string', value: 'FILE', about: 'YAML of what must hold, in place of the default' },
};

export const command: Command = {
  summary: 'prove that it scales: an autoscaler over real servers under load',
  usage: '[--hpa FILE] [--load SHAPE] [--compress TIMES] [--capacity N] [--report FILE] [--assert FILE]',
  about: `Starts servers of this machine as pods behind a proxy, drives load, scrapes the pods, and runs the arithmetic of the
HorizontalPodAutoscaler over what was scraped: pods come and go as it decides. What was real and what was declared is in the report.

Without --assert it holds when no request failed or was answered wrongly, and replicas came back to the minimum. Exit code 1 if not.

Shapes of a load, joined with +:
  ${Object.values(SHAPES).join('\n  ')}

Example: kedge bench autoscale --min 1 --max 5 --capacity 8 --compress 10 --report autoscale.html`,
  options: OPTIONS,
  async run(context) {
    const { out, err, signal, values } = context;
    const assertions = readAssertions(...assertionsOf(values));
    const startedAt = isoTime(systemClock.now());
    const given = optionsOf(values);
    const target = await targetOf(context);
    let program: PodProgram | undefined;
    try {
      const options = { ...given, target };
      err.write(headOf(options));
      program = await bundleForPods();
      let told = performance.now();
      const result = await runLocally(
        { ...options, program: program.path },
        {
          signal,
          onTick: (tick, looks) => {
            const now = performance.now();
            err.write(`${tickLine(tick, looks, (now - told) / 1_000)}\n`);
            told = now;
          },
          tell: (line) => void err.write(`        ${line}\n`),
        },
      );
      if (signal.aborted) return INTERRUPTED;
      const record = recordOf(options, result, { startedAt, settings: settingsOf(values) });
      return await conclude({ ...record, verdicts: judge(record, assertions) }, values, out);
    } finally {
      await program?.remove();
      target.remove();
    }
  },
};

function optionsOf(values: Context['values']): Omit<LocalRunOptions, 'target'> {
  const numbers = readNumbers(NUMBERS, values);
  const file = values['hpa'] as string | undefined;
  const policy = localPolicy(file === undefined ? undefined : { file, text: textOf(file) }, {
    minReplicas: numbers.min,
    maxReplicas: numbers.max,
    windowSeconds: numbers.window,
  });
  const capacity = values['capacity'] as string | undefined;
  return {
    policy,
    flags: { ...DEFAULT_FLAGS, syncPeriodSeconds: numbers.sync },
    load: {
      schedule: parseSchedule((values['load'] as string | undefined) ?? DEFAULT_LOAD, textOf),
      seed: numbers.seed,
      maxOutstanding: numbers['max-in-flight'],
      timeoutMs: numbers['timeout-ms'],
    },
    compression: numbers.compress,
    scrapeSeconds: numbers.scrape,
    requests: { cpuCores: numbers['cpu-request'], memoryBytes: 2 ** 30 },
    capacity: capacity === undefined ? undefined : parseCapacity(capacity, numbers['service-ms']),
    times: { startDelay: numbers['start-delay'], preStop: numbers['pre-stop'] },
    faults: parseFaults(listOf(values['kill-at']), listOf(values['pause'])),
  };
}

async function targetOf({ values, env }: Context): Promise<LoadTarget> {
  const { model, body } = values as { model?: string; body?: string };
  if (model === undefined && body === undefined) return builtInTarget();
  const volume = env['KEDGE_VOLUME'];
  if (model === undefined || body === undefined || !volume) {
    throw new KedgeError(
      'config-invalid',
      'A model of a volume needs --volume DIR (KEDGE_VOLUME), --model NAME and --body FILE.',
    );
  }
  return volumeTarget(volume, { model, body: textOf(body) });
}

function headOf({ policy, load, compression }: LocalRunOptions): string {
  const { minReplicas, maxReplicas } = policy.spec;
  const seconds = durationOf(load.schedule);
  return `${policy.name} (${policy.source}): ${minReplicas} to ${maxReplicas} replicas by ${policy.metrics.map(metricText).join('; ')}
${seconds} s of load, ${Math.ceil(seconds / compression)} s on the wall. The server is bundled as images have it, then ${minReplicas} of ${maxReplicas} pods start.

`;
}

async function conclude(record: RunRecord, values: Context['values'], out: Context['out']): Promise<number> {
  const { json, report } = values as { json?: string; report?: string };
  for (const [file, text] of [
    [json, () => `${JSON.stringify(record)}\n`],
    [report, () => renderReport(record)],
  ] as const) {
    if (file === undefined) continue;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text());
  }
  const lines = record.verdicts.map(
    ({ holds, assertion, measured, advice }) =>
      `${holds ? 'holds ' : 'FAILED'}  ${assertion}: ${measured}${advice === undefined ? '' : `\n        ${advice}`}`,
  );
  if (report !== undefined) lines.push(`report  ${report}`);
  out.write(`\n${lines.join('\n')}\n`);
  return record.verdicts.every(({ holds }) => holds) ? 0 : 1;
}

function assertionsOf(values: Context['values']): [text: string, file: string] {
  const file = values['assert'] as string | undefined;
  return file === undefined ? [DEFAULT_ASSERTIONS, 'the default'] : [textOf(file), file];
}

function settingsOf(values: Context['values']): RunRecord['settings'] {
  const numbers = Object.entries(readNumbers(NUMBERS, values)).filter(([, value]) => value !== undefined);
  const given = Object.entries({ load: DEFAULT_LOAD, ...values })
    .filter(([name]) => !(name in NUMBERS))
    .map(([name, value]) => [name, Array.isArray(value) ? value.join(' ') : value] as const);
  return Object.fromEntries([...given, ...numbers]) as RunRecord['settings'];
}

function listOf(value: Context['values'][string]): string[] {
  return Array.isArray(value) ? value : [];
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new KedgeError('config-invalid', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
