import { stringify } from 'yaml';
import type { Fleet, Plan } from './run-plan.ts';

export const SNIPPET_KINDS = ['scaledobject', 'hpa'] as const;
export type SnippetKind = (typeof SNIPPET_KINDS)[number];

/** What the numbers of a plan are in the manifests: a ScaledObject of KEDA, or a HorizontalPodAutoscaler by the custom metric of prometheus-adapter. */
export function snippetOf(
  kind: SnippetKind,
  plan: Plan,
  settings: Pick<Fleet, 'metricWindowSeconds' | 'behavior'>,
): string {
  const document = kind === 'hpa' ? hpaOf(plan, settings) : scaledObjectOf(plan, settings);
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}

function hpaOf({ target, minReplicas, maxReplicas }: Plan, { behavior }: Pick<Fleet, 'behavior'>): object {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'kedge' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'kedge' },
      minReplicas,
      maxReplicas,
      metrics: [
        {
          type: 'Pods',
          pods: {
            metric: { name: 'kedge_concurrency' },
            target: { type: 'AverageValue', averageValue: String(target) },
          },
        },
      ],
      ...(behavior && { behavior }),
    },
  };
}

/** As Prometheus takes it: whole numbers with a unit, no finer than milliseconds. */
function durationText(seconds: number): string {
  return Number.isInteger(seconds) ? `${seconds}s` : `${Math.round(seconds * 1_000)}ms`;
}

function scaledObjectOf(
  { target, minReplicas, maxReplicas }: Plan,
  { metricWindowSeconds, behavior }: Pick<Fleet, 'metricWindowSeconds' | 'behavior'>,
): object {
  const labels = 'namespace="kedge",container="server"';
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: 'kedge' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'kedge' },
      pollingInterval: 15,
      minReplicaCount: minReplicas,
      maxReplicaCount: maxReplicas,
      ...(behavior && { advanced: { horizontalPodAutoscalerConfig: { behavior } } }),
      triggers: [
        {
          type: 'prometheus',
          name: 'concurrency',
          metricType: 'AverageValue',
          metadata: {
            serverAddress: 'http://prometheus-operated.monitoring.svc:9090',
            query: `sum(rate(kedge_inflight_seconds_total{${labels}}[${durationText(metricWindowSeconds)}]))`,
            threshold: String(target),
            ignoreNullValues: 'false',
          },
        },
      ],
    },
  };
}
