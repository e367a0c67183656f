import type { Look } from '../load/tally.ts';
import { latencyText, numberText } from '../report/format.ts';
import type { ScalingTick } from '../report/record.ts';

/**
 * A line for one sync: what came of the load since the last one, what the metrics read, and what was decided.
 * @param wallSeconds since the last sync, on the wall: rates are by it
 */
export function tickLine(tick: ScalingTick, looks: readonly Look[], wallSeconds: number): string {
  const sum = (count: (look: Look) => number): number => looks.reduce((total, look) => total + count(look), 0);
  const bad = sum(({ failed, wrong, dropped }) => failed + wrong + dropped);
  // Percentiles of parts make none of the whole.
  const worst = Math.max(0, ...looks.map(({ latency }) => latency?.max ?? 0));
  const metrics = tick.metrics.map(({ name, value, target }) => {
    const read = value === undefined ? '?' : numberText(Math.round(value * 100) / 100);
    return `${name} ${read} of ${numberText(target)}`;
  });
  const parts = [
    `${tick.at.toFixed(0).padStart(5)} s`,
    `${numberText(Math.round(sum(({ ok }) => ok) / wallSeconds)).padStart(5)} ok/s`,
    `worst ${worst === 0 ? '-' : latencyText(worst)}`.padEnd(13),
    `${numberText(looks.at(-1)?.inFlight ?? 0)} in flight`.padEnd(14),
    ...(bad > 0 ? [`${numberText(bad)} NOT ANSWERED RIGHTLY`] : []),
    metrics.join(', '),
    ...(tick.held ? [`${numberText(tick.held)} HELD`] : []),
    `${tick.ready} ready`,
    tick.desired === tick.current ? `${tick.current} replicas` : `${tick.current} -> ${tick.desired} replicas`,
    reasonOf(tick),
  ];
  return parts.filter(Boolean).join('  ');
}

/** The reason that says most: what KEDA did beside its HPA, why nothing could be decided, what held it back, else what bounded it. */
function reasonOf({ keda, scalingActive, ableToScale, scalingLimited }: ScalingTick): string {
  if (keda !== undefined) return keda;
  if (scalingActive !== undefined && scalingActive !== 'ValidMetricFound') return scalingActive;
  if (ableToScale?.endsWith('Stabilized')) return ableToScale;
  return scalingLimited === 'DesiredWithinRange' ? '' : (scalingLimited ?? '');
}
