import { z } from 'zod';
import { KedgeError } from '../../contract/errors.ts';
import type { Interceptor } from './interceptor.ts';

/** What KEDA 2.21 does beside the HPA that it makes: it takes the target from 0 and to 0. All in seconds. */
export interface Activation {
  /** 0: KEDA lets nothing run once no trigger has been active for the cooldown, and the HPA then is disabled. */
  minReplicas: number;
  /** Instead of `minReplicas` while no trigger is active. */
  idleReplicas: number | undefined;
  pollingSeconds: number;
  cooldownSeconds: number;
  initialCooldownSeconds: number;
  /** For each external trigger by the name of its metric: it is active while its value, in thousandths, is above. */
  active: readonly ActiveTrigger[];
  /** Where all triggers are of type cpu or memory; beside others those say nothing of activity. */
  alwaysActive: boolean;
  /** What the HPA is told once a trigger failed at more than so many of its syncs in a row. */
  fallback: { failureThreshold: number; replicas: number; behavior: FallbackBehavior } | undefined;
  /** Where one stands before the pods: of the route that a trigger names, or of the only one beside the ScaledObject. */
  interceptor?: Interceptor | undefined;
}

interface ActiveTrigger {
  metric: string;
  above: number;
  /** It tells KEDA by itself that it is active, between two polls. */
  pushed?: boolean;
  /** What it asks Prometheus. */
  query?: string;
}

/** An InterceptorRoute beside a ScaledObject, read once it is wanted. */
export interface Route {
  name: string;
  read(): Interceptor;
}

const BEHAVIORS = ['static', 'currentReplicas', 'currentReplicasIfHigher', 'currentReplicasIfLower'] as const;
type FallbackBehavior = (typeof BEHAVIORS)[number];

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const trigger = z.looseObject({
  type: z.string(),
  name: z.string().optional(),
  metricType: z.enum(['AverageValue', 'Value', 'Utilization']).optional(),
  metadata: z.record(z.string(), text),
});

const seconds = z.int().min(0);

export const scaledObjectSchema = z.strictObject({
  apiVersion: z.literal('keda.sh/v1alpha1', 'only keda.sh/v1alpha1 is read'),
  kind: z.literal('ScaledObject'),
  metadata: z.looseObject({ name: z.string().min(1) }),
  spec: z.strictObject({
    scaleTargetRef: z.looseObject({
      apiVersion: z.string().default('apps/v1'),
      kind: z.string().default('Deployment'),
      name: z.string(),
    }),
    pollingInterval: seconds.default(30),
    cooldownPeriod: seconds.default(300),
    initialCooldownPeriod: seconds.default(0),
    minReplicaCount: z.int().min(0).default(0),
    maxReplicaCount: z.int().min(1).default(100),
    idleReplicaCount: z.int().min(0).optional(),
    fallback: z
      .strictObject({
        failureThreshold: z.int().min(0),
        replicas: z.int().min(0),
        behavior: z.enum(BEHAVIORS).default('static'),
      })
      .optional(),
    advanced: z
      .strictObject({
        restoreToOriginalReplicaCount: z.boolean().optional(),
        horizontalPodAutoscalerConfig: z
          .strictObject({ name: z.string().min(1).optional(), behavior: z.unknown().optional() })
          .optional(),
        scalingModifiers: z.undefined('a formula over several triggers is not read').optional(),
      })
      .optional(),
    triggers: z.array(trigger).min(1),
  }),
  status: z.unknown().optional(),
});

type ScaledObject = z.infer<typeof scaledObjectSchema>;
type Trigger = z.infer<typeof trigger>;

/**
 * Where triggers name what they aim at, and from what value on they are active. `external` and `external-push` are asked by KEDA, so their manifest
 * does not say; that of the HTTP add-on is in the InterceptorRoute that they name.
 */
const TARGETS: Readonly<
  Record<string, { target: string; activation: string; metric: (metadata: Trigger['metadata']) => string }>
> = {
  prometheus: { target: 'threshold', activation: 'activationThreshold', metric: () => 'prometheus' },
  redis: { target: 'listLength', activation: 'activationListLength', metric: ({ listName }) => `redis-${listName}` },
  'metrics-api': {
    target: 'targetValue',
    activation: 'activationTargetValue',
    metric: ({ valueLocation }) => `metric-api-${valueLocation}`,
  },
};

/**
 * The HorizontalPodAutoscaler that KEDA makes of a ScaledObject (controllers/keda/hpa.go).
 * @param routes that stand beside it
 * @throws KedgeError `config-invalid`
 */
export function toHpa(
  { metadata, spec }: ScaledObject,
  routes: readonly Route[] = [],
): { hpa: object; activation: Activation } {
  const config = spec.advanced?.horizontalPodAutoscalerConfig;
  const external = spec.triggers.map((one, index) => externalOf(one, index, routes)).filter((one) => one !== undefined);
  const metrics = [...spec.triggers.map(resourceOf), ...external.map(({ metric }) => metric)].filter(
    (one) => one !== undefined,
  );
  const { minReplicaCount: minReplicas, maxReplicaCount: maxReplicas, fallback } = spec;
  return {
    hpa: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: config?.name ?? `keda-hpa-${metadata.name}` },
      spec: {
        scaleTargetRef: {
          apiVersion: spec.scaleTargetRef.apiVersion,
          kind: spec.scaleTargetRef.kind,
          name: spec.scaleTargetRef.name,
        },
        minReplicas: Math.max(1, minReplicas),
        maxReplicas,
        // KEDA sorts by type, which decides whose failure is told.
        metrics: metrics.toSorted((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0)),
        behavior: config?.behavior,
      },
    },
    activation: {
      minReplicas,
      idleReplicas: spec.idleReplicaCount,
      pollingSeconds: spec.pollingInterval,
      cooldownSeconds: spec.cooldownPeriod,
      initialCooldownSeconds: spec.initialCooldownPeriod,
      active: external.map(({ active }) => active),
      alwaysActive: spec.triggers.every(isResource),
      fallback,
      interceptor:
        external.find(({ interceptor }) => interceptor)?.interceptor ??
        (routes.length === 1 ? routes[0]!.read() : undefined),
    },
  };
}

function isResource({ type }: Trigger): boolean {
  return type === 'cpu' || type === 'memory';
}

function resourceOf(one: Trigger): { type: string } | undefined {
  if (!isResource(one)) return undefined;
  const { value, containerName: container } = one.metadata;
  const type = one.metricType;
  if (!type) throw invalid(`A trigger of type ${one.type} needs metricType, Utilization or AverageValue`);
  const target = type === 'Utilization' ? { type, averageUtilization: Number(value) } : { type, averageValue: value };
  const resource = { name: one.type, target };
  if (container === undefined) return { type: 'Resource', resource } as { type: string };
  return { type: 'ContainerResource', containerResource: { ...resource, container } } as { type: string };
}

interface ExternalTrigger {
  metric: { type: string };
  active: ActiveTrigger;
  interceptor?: Interceptor;
}

function externalOf(one: Trigger, index: number, routes: readonly Route[]): ExternalTrigger | undefined {
  if (isResource(one)) return undefined;
  const route = one.metadata['interceptorRoute'];
  if (one.type === 'external-push' && route !== undefined) return pushedOf(one, index, { route, routes });
  const known = TARGETS[one.type];
  if (!known) {
    const types = ['cpu', 'memory', ...Object.keys(TARGETS)].join(', ');
    throw invalid(
      `What a trigger of type ${one.type} aims at is not known here; known are ${types}, and external-push with an interceptorRoute. Give the HorizontalPodAutoscaler that KEDA makes of it instead`,
    );
  }
  const name = `s${index}-${normalise(known.metric(one.metadata))}`;
  const above = one.metadata[known.activation] === undefined ? 0 : milliOf(one, known.activation);
  const { query } = one.metadata;
  return {
    metric: externalMetric(name, one, milliOf(one, known.target)),
    active: { metric: name, above, ...(query !== undefined && { query }) },
  };
}

/** Of the HTTP add-on's scaler, which tells the metric of a route (scaler/handlers.go): active while any request is under way or held. */
function pushedOf(
  one: Trigger,
  index: number,
  { route, routes }: { route: string; routes: readonly Route[] },
): ExternalTrigger {
  const found = routes.find(({ name }) => name === route);
  if (!found) {
    throw invalid(
      `The InterceptorRoute ${route}, which says what the trigger aims at, is not beside the ScaledObject: give a file, or a folder, that holds both`,
    );
  }
  const interceptor = found.read();
  const name = `s${index}-http_${route}_concurrency`;
  return {
    metric: externalMetric(name, one, interceptor.targetConcurrency * 1_000),
    active: { metric: name, above: 0, pushed: true },
    interceptor,
  };
}

function externalMetric(name: string, { metricType: type = 'AverageValue' }: Trigger, milli: number): { type: string } {
  const key = type === 'Value' ? 'value' : 'averageValue';
  return { type: 'External', external: { metric: { name }, target: { type, [key]: `${milli}m` } } } as { type: string };
}

/** As KEDA counts: rounded to thousandths. */
function milliOf({ type, metadata }: Trigger, key: string): number {
  const value = Number(metadata[key]);
  if (metadata[key] !== undefined && Number.isFinite(value)) return Math.round(value * 1000);
  throw invalid(`A trigger of type ${type} needs metadata.${key}, a number`);
}

function invalid(message: string): KedgeError {
  return new KedgeError('config-invalid', `${message}.`);
}

/** NormalizeString of KEDA: what may not stand in the name of a metric becomes a dash. */
function normalise(name: string): string {
  return name.replaceAll(/[/.:%()]/g, '-');
}
