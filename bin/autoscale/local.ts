import { parseFaults } from '../../bench/autoscale/faults.ts';
import { type LocalRunOptions, type RunHooks, runLocally } from '../../bench/autoscale/local-run.ts';
import { type LocalPolicy, localPolicy, metricText } from '../../bench/autoscale/policy.ts';
import { recordOf } from '../../bench/autoscale/record.ts';
import { builtInTarget, type LoadTarget } from '../../bench/autoscale/target.ts';
import { bundleForPods, type PodProgram } from '../../bench/cluster/program.ts';
import { parseCapacity } from '../../bench/cluster/proxy/capacity.ts';
import { DEFAULT_FLAGS } from '../../bench/hpa/spec.ts';
import { durationOf } from '../../bench/load/schedule.ts';
import type { RunRecord } from '../../bench/report/record.ts';
import { isoTime, systemClock } from '../../platform/clock.ts';
import type { Context } from '../command.ts';
import { refuseIdle } from '../idle-options.ts';
import { readNumbers } from '../number-option.ts';
import { LOAD_FROM_ZERO, listIn, loadOf, NUMBERS, requestsAt, settingsOf, textIn } from './options.ts';
import { podEnvironment } from './pod-environment.ts';
import { readManifest } from './read-manifest.ts';

/** What only a cluster that is there can be told. */
const CLUSTER_ONLY = ['url', 'context', 'namespace', 'autoscaler', 'look', 'reconnect'];

/** A run over pods of this machine. @throws KedgeError */
export async function runHere(
  { values, env, err }: Pick<Context, 'values' | 'env' | 'err'>,
  hooks: RunHooks,
): Promise<RunRecord> {
  refuseIdle(values, CLUSTER_ONLY, 'cannot be had of pods of this machine: give --cluster too, or leave these out.');
  const given = optionsOf(values);
  const startedAt = isoTime(systemClock.now());
  err.write(headOf(given));
  const target = await targetOf(values);
  let program: PodProgram | undefined;
  try {
    program = await bundleForPods();
    err.write(`${startsText(given.policy)}\n`);
    const options = { ...given, target, program: program.path, env: podEnvironment(env) };
    const result = await runLocally(options, hooks);
    return recordOf(options, result, { startedAt, settings: settingsOf(values, presetOf(given.policy)) });
  } finally {
    await program?.remove();
    target.remove();
  }
}

function optionsOf(values: Context['values']): Omit<LocalRunOptions, 'target'> {
  const numbers = readNumbers(NUMBERS, values);
  const file = textIn(values, 'hpa');
  const capacity = textIn(values, 'capacity');
  const policy = localPolicy(file === undefined ? undefined : { file, text: readManifest(file) }, {
    minReplicas: numbers.min,
    maxReplicas: numbers.max,
    windowSeconds: numbers.window,
  });
  return {
    policy,
    flags: { ...DEFAULT_FLAGS, syncPeriodSeconds: numbers.sync },
    load: loadOf(values, presetOf(policy)),
    compression: numbers.compress,
    scrapeSeconds: numbers.scrape,
    requests: { cpuCores: numbers['cpu-request'], memoryBytes: 2 ** 30 },
    capacity: capacity === undefined ? undefined : parseCapacity(capacity, numbers['service-ms']),
    times: { startDelay: numbers['start-delay'], preStop: numbers['pre-stop'] },
    faults: parseFaults(listIn(values, 'kill-at'), listIn(values, 'pause')),
  };
}

async function targetOf(values: Context['values']): Promise<LoadTarget> {
  const volume = textIn(values, 'volume');
  if (volume === undefined) return builtInTarget();
  return {
    volume,
    requests: (url) => requestsAt(url, values),
    about: `models of ${volume}; every answer of a version is held against its first`,
    remove: () => undefined,
  };
}

/** The load where none is given; undefined: that of all others. */
function presetOf({ least }: LocalPolicy): string | undefined {
  return least === 0 ? LOAD_FROM_ZERO : undefined;
}

function startsText({ least, spec }: LocalPolicy): string {
  return least === 0
    ? 'a pod starts, tells what can be asked, and goes: the load begins with none'
    : `${least} of ${spec.maxReplicas} pods start`;
}

function headOf({ policy, load, compression }: Omit<LocalRunOptions, 'target'>): string {
  const { least, spec } = policy;
  const seconds = durationOf(load.schedule);
  return `${policy.name} (${policy.source}): ${least} to ${spec.maxReplicas} replicas by ${policy.metrics.map(metricText).join('; ')}
${seconds} s of load, ${Math.ceil(seconds / compression)} s on the wall; first the server is bundled, as images have it
`;
}
