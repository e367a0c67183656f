import type { PolicyMetric } from '../../hpa/observe.ts';
import { parseQuantity } from '../../hpa/quantity.ts';
import type { ScalingTick } from '../../report/record.ts';
import { targetOf } from '../policy.ts';
import type { Autoscaler, ClusterView, CurrentMetric } from './objects.ts';

const FIELDS = {
  Resource: 'resource',
  ContainerResource: 'containerResource',
  Pods: 'pods',
  Object: 'object',
  External: 'external',
} as const satisfies Record<PolicyMetric['kind'], keyof CurrentMetric>;

/** What an autoscaler told at a time, as a record has it. Pure. @param metrics of its spec */
export function tickOf(
  { autoscaler, deployment }: ClusterView,
  metrics: readonly PolicyMetric[],
  at: number,
): ScalingTick {
  const { status = {} } = autoscaler;
  // Both numbers of one decision, from the same object: the Deployment is changed before it is told of, and is listed by itself.
  const current = status.currentReplicas ?? deployment.spec.replicas ?? 0;
  const [ableToScale, scalingActive, scalingLimited] = ['AbleToScale', 'ScalingActive', 'ScalingLimited'].map((type) =>
    reasonOf(autoscaler, type),
  );
  return {
    at,
    current,
    // 0 stands there before the first sync, too.
    desired: status.desiredReplicas || (autoscaler.spec.minReplicas === 0 ? 0 : current),
    ready: deployment.status?.readyReplicas ?? 0,
    metrics: metrics.map((metric) => {
      const value = readOf(metric, status.currentMetrics ?? []);
      return { name: metric.name, target: targetOf(metric), ...(value !== undefined && { value }) };
    }),
    ...(ableToScale !== undefined && { ableToScale }),
    ...(scalingActive !== undefined && { scalingActive }),
    ...(scalingLimited !== undefined && { scalingLimited }),
  };
}

function reasonOf({ status }: Autoscaler, type: string): string | undefined {
  return status?.conditions?.find((one) => one.type === type)?.reason;
}

/** In the unit of its target. */
function readOf(
  { kind, name, container, target }: PolicyMetric,
  current: readonly CurrentMetric[],
): number | undefined {
  const field = FIELDS[kind];
  const found = current
    .filter(({ type }) => type === kind)
    .map((one) => one[field])
    .find((one) => {
      if (!one) return false;
      return 'metric' in one ? one.metric.name === name : one.name === name && one.container === container;
    })?.current;
  if (!found) return undefined;
  if (target.type === 'Utilization') return found.averageUtilization;
  const text = target.type === 'Value' ? found.value : found.averageValue;
  const milli = text === undefined ? undefined : parseQuantity(text)?.milli;
  // With no replicas the controller divides by zero, and tells the least integer.
  return milli === undefined || milli < 0 ? undefined : milli / 1_000;
}
