import { KedgeError } from '../../contract/errors.ts';
import { DEFAULT_INTERCEPTOR, type Interceptor } from '../hpa/interceptor.ts';
import type { Activation } from '../hpa/keda.ts';
import { type Policy, readPolicy } from '../hpa/manifest.ts';
import type { MetricTarget, PolicyMetric } from '../hpa/observe.ts';
import { DEFAULT_POLICY, DEFAULT_POLICY_FILE, DEFAULT_WINDOW } from './default-policy.ts';
import { type Measure, measuresOf, windowOf } from './signals/measured.ts';

/** A policy, and how its metrics are measured in a local run. */
export interface LocalPolicy extends Policy {
  /** Where it was read from. */
  source: string;
  /** What each metric is measured by, in the order of the metrics. */
  measures: readonly Measure[];
  /** Seconds that the rate of requests under way is taken over. */
  windowSeconds: number;
  /** Least replicas of all: 0 where KEDA puts to sleep what its HPA keeps at one or more. */
  least: number;
  /** What KEDA does then; undefined where it never goes to zero. */
  activation: Activation | undefined;
  /** What holds requests while no pod is ready; undefined where nothing does. */
  interceptor: Interceptor | undefined;
}

/** What a run changes of a policy; as it is written if absent. */
export interface PolicyChanges {
  minReplicas?: number | undefined;
  maxReplicas?: number | undefined;
  windowSeconds?: number | undefined;
}

/**
 * @param manifest text and name of a file; the policy of the manifests' KEDA component if absent
 * @throws KedgeError `config-invalid`
 */
export function localPolicy(manifest: { text: string; file: string } | undefined, changes: PolicyChanges): LocalPolicy {
  const policy = manifest ? readPolicy(manifest.text, manifest.file) : DEFAULT_POLICY;
  const minReplicas = changes.minReplicas ?? policy.spec.minReplicas;
  const maxReplicas = changes.maxReplicas ?? policy.spec.maxReplicas;
  if (minReplicas < 1) {
    throw new KedgeError(
      'config-invalid',
      'An HPA that goes to zero by itself is not run here: give a ScaledObject with minReplicaCount 0, or --min 1, or take --cluster.',
    );
  }
  if (maxReplicas < minReplicas) {
    throw new KedgeError('config-invalid', `--max ${maxReplicas} is less than the least, ${minReplicas}: raise it.`);
  }
  const measures: readonly Measure[] = manifest
    ? measuresOf(policy.metrics, manifest.text, queriesOf(policy.keda))
    : policy.metrics.map(({ kind }) => (kind === 'External' ? 'concurrency' : 'cpu'));
  const activation = changes.minReplicas === undefined && sleeps(policy.keda) ? policy.keda : undefined;
  if (activation && !measures.includes('pending')) {
    throw new KedgeError(
      'config-invalid',
      `${manifest!.file} goes to zero, and its triggers read nothing that is counted while there is no pod: nothing would wake it, and nobody holds requests meanwhile. Scale by KEDA's HTTP add-on, as manifests/components/scale-to-zero does, or give --min 1.`,
    );
  }
  return {
    ...policy,
    spec: { ...policy.spec, minReplicas, maxReplicas },
    source: manifest?.file ?? DEFAULT_POLICY_FILE,
    measures,
    least: activation ? 0 : minReplicas,
    activation,
    interceptor: measures.includes('pending') ? (policy.keda?.interceptor ?? DEFAULT_INTERCEPTOR) : undefined,
    windowSeconds: changes.windowSeconds ?? windowOf(manifest?.text ?? '') ?? DEFAULT_WINDOW,
  };
}

function sleeps(keda: Activation | undefined): boolean {
  return keda !== undefined && (keda.idleReplicas ?? keda.minReplicas) === 0;
}

function queriesOf(keda: Activation | undefined): ReadonlyMap<string, string> {
  return new Map((keda?.active ?? []).flatMap(({ metric, query }) => (query === undefined ? [] : [[metric, query]])));
}

/** A metric for people: `External s0-prometheus, 4 for each pod`. */
export function metricText(metric: PolicyMetric): string {
  const { kind, name, container, target } = metric;
  return `${kind} ${name}${container === undefined ? '' : ` of ${container}`}, ${targetText(target)}`;
}

function targetText(target: MetricTarget): string {
  if (target.type === 'Utilization') return `${target.percent} % of the request`;
  return target.type === 'Value' ? `${target.milli / 1_000} in all` : `${target.milli / 1_000} for each pod`;
}

/** In the unit that people read: percent, or whole numbers. */
export function targetOf({ target }: PolicyMetric): number {
  return target.type === 'Utilization' ? target.percent : target.milli / 1_000;
}
