import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { KedgeError } from '../../contract/errors.ts';
import { hpaSchema, type WrittenHpa } from './hpa-schema.ts';
import { interceptorOf, interceptorRouteSchema } from './interceptor.ts';
import { type Activation, type Route, scaledObjectSchema, toHpa } from './keda.ts';
import type { PolicyMetric } from './observe.ts';
import { behaviorOf, type ControllerFlags, DEFAULT_FLAGS, type HpaSpec, type WrittenBehavior } from './spec.ts';

/** An autoscaler of a manifest, ready for `reconcile` and `simulate`. */
export interface Policy {
  /** Of the HorizontalPodAutoscaler; for a ScaledObject, of the one that KEDA makes. */
  name: string;
  spec: HpaSpec;
  /** As it is written: what is left out of `spec.behavior` has defaults, and tolerances are here alone. */
  behavior: WrittenBehavior | undefined;
  metrics: readonly PolicyMetric[];
  /** Only for a ScaledObject: what KEDA does beside its HPA. */
  keda: Activation | undefined;
}

/** What the API server fills in where `metrics` is left out. */
const CPU: PolicyMetric = { kind: 'Resource', name: 'cpu', target: { type: 'Utilization', percent: 80 } };

/**
 * The one HorizontalPodAutoscaler (autoscaling/v2) or ScaledObject (keda.sh/v1alpha1) of a manifest, which may hold other objects too: of these
 * InterceptorRoutes (http.keda.sh/v1beta1) are read where a ScaledObject scales by them. Stricter than the API server where that would drop what is misspelt.
 * @param file named in errors
 * @param name of the object, where there are several
 * @throws KedgeError `config-invalid` that names every problem
 */
export function readPolicy(
  text: string,
  file: string,
  { name, flags = DEFAULT_FLAGS }: { name?: string; flags?: ControllerFlags } = {},
): Policy {
  const objects = objectsOf(text, file);
  const object = pick(objects, file, name);
  if (object.kind === 'ScaledObject') {
    const { hpa, activation } = toHpa(check(scaledObjectSchema, object, file), routesIn(objects, file));
    return policyOf(check(hpaSchema, hpa, `${file}, as KEDA makes it`), flags, activation);
  }
  return policyOf(check(hpaSchema, object, file), flags, undefined);
}

interface Found {
  kind: 'HorizontalPodAutoscaler' | 'ScaledObject';
  name: string;
}

function objectsOf(text: string, file: string): unknown[] {
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return [];
  return documents.map((document) => {
    const [error] = document.errors;
    if (error) throw invalid(`${file} is no YAML: ${error.message.split('\n')[0]}`);
    return document.toJS() as unknown;
  });
}

function pick(objects: readonly unknown[], file: string, wanted: string | undefined): Found {
  const all = objects.map(scalerOf).filter((one) => one !== undefined);
  const found = wanted === undefined ? all : all.filter(({ name }) => name === wanted);
  if (found.length === 1) return found[0]!;
  const known = all.map(({ kind, name }) => `${kind} ${name}`).join(', ');
  if (all.length === 0) {
    const isOlder = objects.some((one) => (one as { kind?: unknown } | null)?.kind === 'HTTPScaledObject');
    const advice = isOlder ? ': write the HTTPScaledObject as an InterceptorRoute and a ScaledObject' : '';
    throw invalid(`${file} holds neither a HorizontalPodAutoscaler nor a ScaledObject${advice}`);
  }
  if (found.length === 0) throw invalid(`${file} has no autoscaler ${wanted}; it has ${known}`);
  throw invalid(`${file} holds ${found.length} autoscalers: name one of ${known}`);
}

function routesIn(objects: readonly unknown[], file: string): Route[] {
  return objects.flatMap((object) => {
    const { kind, metadata } = (object ?? {}) as { kind?: unknown; metadata?: { name?: unknown } };
    if (kind !== 'InterceptorRoute') return [];
    const read = (): ReturnType<Route['read']> => interceptorOf(check(interceptorRouteSchema, object, file));
    return [{ name: String(metadata?.name), read }];
  });
}

/** With everything else that it holds, to be checked. */
function scalerOf(object: unknown): Found | undefined {
  const { kind, metadata } = (object ?? {}) as { kind?: unknown; metadata?: { name?: unknown } };
  if (kind !== 'HorizontalPodAutoscaler' && kind !== 'ScaledObject') return undefined;
  return { ...(object as object), kind, name: String(metadata?.name ?? 'without a name') };
}

function check<T>(schema: z.ZodType<T>, object: unknown, file: string): T {
  const { name: _, ...written } = object as { name?: string };
  const result = schema.safeParse(written);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) =>
    path.length > 0 ? `${z.core.toDotPath(path)}: ${message}` : message,
  );
  throw invalid(`${file}: ${problems.join('; ')}`);
}

function policyOf({ metadata, spec }: WrittenHpa, flags: ControllerFlags, keda: Activation | undefined): Policy {
  const behavior = spec.behavior ?? undefined;
  const { minReplicas, maxReplicas } = spec;
  return {
    name: metadata.name,
    spec: { minReplicas, maxReplicas, behavior: behaviorOf(behavior, flags) },
    behavior,
    metrics: spec.metrics.length === 0 ? [CPU] : spec.metrics.map(metricOf),
    keda,
  };
}

function metricOf(metric: WrittenHpa['spec']['metrics'][number]): PolicyMetric {
  switch (metric.type) {
    case 'Pods':
      return { kind: 'Pods', name: metric.pods.metric.name, target: metric.pods.target };
    case 'Object':
      return { kind: 'Object', name: metric.object.metric.name, target: metric.object.target };
    case 'External':
      return { kind: 'External', name: metric.external.metric.name, target: metric.external.target };
    case 'Resource':
      return { kind: 'Resource', ...metric.resource };
    case 'ContainerResource':
      return { kind: 'ContainerResource', ...metric.containerResource };
  }
}

function invalid(message: string): KedgeError {
  return new KedgeError('config-invalid', `${message}.`);
}
