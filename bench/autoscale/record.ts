import type { Capacity } from '../cluster/proxy/capacity.ts';
import type { Policy } from '../hpa/manifest.ts';
import { durationOf } from '../load/schedule.ts';
import { countText, numberText } from '../report/format.ts';
import { thisMachine } from '../report/machine.ts';
import type { RunRecord, ScalingRecord } from '../report/record.ts';
import type { ClusterRunResult } from './cluster-run.ts';
import type { LocalRunOptions, LocalRunResult } from './local-run.ts';
import { type LocalPolicy, metricText, targetOf } from './policy.ts';
import { zeroDeclared, zeroReal } from './zero/honesty.ts';

/** What a local run leaves behind, before it is judged. */
export function recordOf(
  options: LocalRunOptions,
  result: LocalRunResult,
  { startedAt, settings }: Pick<RunRecord, 'startedAt' | 'settings'>,
): RunRecord {
  const { policy, compression, load } = options;
  const machine = thisMachine();
  const most = Math.max(...result.ticks.map(({ desired }) => desired));
  return {
    schemaVersion: 1,
    kind: 'autoscale',
    title: `Replicas ${policy.least} to ${most} by ${policy.name}, on pods of one machine`,
    startedAt,
    seconds: durationOf(load.schedule),
    compression,
    machine,
    settings,
    honesty: { real: realOf(options, result), declared: declaredOf(options, machine.cores) },
    load: result.load,
    scaling: {
      by: 'model',
      policy: { ...policyOf(policy), ...inFlightTargetOf(policy), minReplicas: policy.least },
      ticks: result.ticks,
      pods: result.pods,
      ...(result.zero && { zero: result.zero }),
    },
    verdicts: [],
  };
}

/** What a run against a cluster leaves behind, before it is judged. */
export function clusterRecordOf(
  { policy, load, ticks, pods, missedLooks }: ClusterRunResult,
  facts: Pick<RunRecord, 'startedAt' | 'settings' | 'seconds'> & { url: string; lookSeconds: number },
): RunRecord {
  const { startedAt, settings, seconds, url, lookSeconds } = facts;
  return {
    schemaVersion: 1,
    kind: 'autoscale',
    title:
      ticks.length > 0
        ? `Replicas ${policy.spec.minReplicas} to ${Math.max(...ticks.map(({ desired }) => desired))} by ${policy.name}, in a cluster`
        : `${policy.name} in a cluster, which answered no look at it`,
    startedAt,
    seconds,
    compression: 1,
    machine: thisMachine(),
    settings,
    honesty: {
      real: [
        `The cluster behind ${url}, its autoscaler and its pods; nothing of them was changed.`,
        `What they told was looked at every ${numberText(lookSeconds)} s, and is told as of when it was seen${missedLooks === 0 ? '' : `; at ${countText(missedLooks, 'look')} the cluster did not answer`}.`,
      ],
      declared: [
        'The machine named below is the one that sent the load.',
        'Requests under way in each pod were not looked at; what the autoscaler read of them is among its metrics.',
        'A controller tells what it decided, and not what the metrics asked for before bounds, windows and policies: where that is judged, its decisions stand for it.',
      ],
    },
    load,
    scaling: { by: 'cluster', policy: policyOf(policy), ticks, pods },
    verdicts: [],
  };
}

function policyOf({ name, spec, metrics }: Policy): ScalingRecord['policy'] {
  const { minReplicas, maxReplicas } = spec;
  return { name, minReplicas, maxReplicas, metrics: metrics.map(metricText) };
}

/** What the metric that counts requests under way aims at, where it does so for each pod. */
function inFlightTargetOf({ metrics, measures }: LocalPolicy): Pick<ScalingRecord['policy'], 'inFlightTarget'> {
  const metric = metrics[measures.findIndex((measure) => measure === 'concurrency' || measure === 'pending')];
  return metric?.target.type === 'AverageValue' ? { inFlightTarget: targetOf(metric) } : {};
}

function realOf(options: LocalRunOptions, { pods, proxy, badExits, zero }: LocalRunResult): string[] {
  const { target, policy } = options;
  const broken = Object.values(proxy.pods).reduce((sum, pod) => sum + pod.broken, 0);
  return [
    `Each of the ${countText(pods.length, 'pod')} was a kedge serve in a process of its own; it was sent requests while its /v2/health/ready said so, and drained by SIGTERM.`,
    `They served ${target.about}.`,
    `Requests under way in each pod were read from the counter kedge_inflight_seconds_total of its admin port, and averaged over ${policy.windowSeconds} s as rate() of Prometheus does.`,
    ...(zero ? zeroReal(options, zero) : []),
    ...(policy.measures.includes('cpu') ? ['CPU was what the processes of each pod took of this machine.'] : []),
    `A proxy gave each request to the ready pod with the fewest under way. It sent ${numberText(proxy.retried)} to another pod after a connection that broke before a byte was on it; ${numberText(broken)} broke later and were failed; ${numberText(proxy.unserved)} came while no pod took any.`,
    badExits.length === 0
      ? 'Every pod that was drained ended with exit code 0.'
      : `Pods that did not end in order: ${badExits.join('; ')}.`,
  ];
}

function declaredOf({ policy, compression, capacity, requests, times }: LocalRunOptions, cores: number): string[] {
  const said = [
    `All pods, the proxy and the load shared ${countText(cores, 'core')}, so more pods could not compute more.`,
    'The decisions are those of our HPA arithmetic, which is held against recorded cases of the real controller; no Kubernetes took part.',
  ];
  if (policy.interceptor) said.push(...zeroDeclared(policy, compression));
  if (capacity) {
    said.push(
      `Capacity of a pod: ${capacityText(capacity)}. The proxy holds requests back for it, and counts those as under way in the pod, as a real pod of that capacity would have taken them in.`,
    );
  }
  if (compression !== 1) {
    said.push(
      `Time was compressed ${numberText(compression)} times for windows, syncs, probes and the schedule of the load. Rates are per second of the wall, and service and start times were real, so starts look ${numberText(compression)} times as long.`,
    );
  }
  if (policy.measures.includes('cpu')) {
    const often =
      compression === 1 ? '' : '; probes and scrapes cost it as much as they come more often in compressed time';
    said.push(`A pod requests ${numberText(requests.cpuCores)} of a core${often}.`);
  }
  if (times?.startDelay)
    said.push(`A new pod's process starts ${numberText(times.startDelay)} s after it was asked for.`);
  return said;
}

function capacityText(capacity: Capacity): string {
  if ('perSecond' in capacity) return `${numberText(capacity.perSecond)} requests a second`;
  return `${numberText(capacity.slots)} requests at a time, each taking at least ${numberText(capacity.serviceMs)} ms`;
}
