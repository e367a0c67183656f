import { quantity } from '../manifests/arithmetic.ts';
import type { Any } from '../manifests/objects.ts';

/** What a status says of a decision: the reasons of AbleToScale, ScalingActive and ScalingLimited, and what CPU (percent) and requests under way read. */
export type Told = [current: number, desired: number, reasons: (string | undefined)[], metrics: (number | undefined)[]];

/** Of a HorizontalPodAutoscaler with a ContainerResource metric and one of Pods, as the API server gives it; read by nothing that the bench reads it by. */
export function toldBy({ status = {} }: Any): Told {
  const reason = (type: string): string | undefined => status.conditions?.find((one: Any) => one.type === type)?.reason;
  const currentOf = (field: string): Any =>
    status.currentMetrics?.find((one: Any) => one[field])?.[field].current ?? {};
  const average = currentOf('pods').averageValue;
  return [
    status.currentReplicas,
    status.desiredReplicas,
    [reason('AbleToScale'), reason('ScalingActive'), reason('ScalingLimited')],
    [currentOf('containerResource').averageUtilization, average === undefined ? undefined : thousandths(average)],
  ];
}

const thousandths = (text: string): number => Math.round(quantity(text) * 1_000) / 1_000;
