import type { Policy } from '../hpa/manifest.ts';
import { MANIFEST_BEHAVIOR } from '../hpa/manifest-behavior.ts';
import { behaviorOf, DEFAULT_FLAGS } from '../hpa/spec.ts';

/** Where the manifests' own autoscaler is told of. */
export const DEFAULT_POLICY_FILE = 'manifests/components/keda/scaled-object.yaml';
/** Seconds that its query takes the rate over. */
export const DEFAULT_WINDOW = 30;

/** The HorizontalPodAutoscaler that KEDA makes of {@link DEFAULT_POLICY_FILE}, which the package does not bring along. */
export const DEFAULT_POLICY: Policy = {
  name: 'keda-hpa-kedge',
  spec: { minReplicas: 2, maxReplicas: 10, behavior: behaviorOf(MANIFEST_BEHAVIOR, DEFAULT_FLAGS) },
  behavior: MANIFEST_BEHAVIOR,
  metrics: [
    { kind: 'ContainerResource', name: 'cpu', container: 'server', target: { type: 'Utilization', percent: 70 } },
    { kind: 'External', name: 's0-prometheus', target: { type: 'AverageValue', milli: 4_000 } },
  ],
  keda: undefined,
};
