import { KedgeError } from '../../../contract/errors.ts';

/** What is read of objects as the API server gives them; whatever may be absent there is optional. */
interface Metadata {
  name: string;
  labels?: Readonly<Record<string, string>>;
  deletionTimestamp?: string;
}

export interface Autoscaler {
  kind: 'HorizontalPodAutoscaler';
  metadata: Metadata;
  spec: { scaleTargetRef: { kind: string; name: string }; minReplicas?: number; maxReplicas: number };
  status?: {
    currentReplicas?: number;
    desiredReplicas?: number;
    /** Before the first success there may be entries without a type. */
    currentMetrics?: readonly CurrentMetric[] | null;
    conditions?: readonly { type: string; status: string; reason?: string }[];
  };
}

export interface CurrentMetric {
  type?: string;
  resource?: OfResource;
  containerResource?: OfResource;
  pods?: OfMetric;
  object?: OfMetric;
  external?: OfMetric;
}

interface OfResource {
  name: string;
  container?: string;
  current: Current;
}

interface OfMetric {
  metric: { name: string };
  current: Current;
}

interface Current {
  averageUtilization?: number;
  /** Quantities. */
  averageValue?: string;
  value?: string;
}

interface Deployment {
  kind: 'Deployment';
  metadata: Metadata;
  spec: { replicas?: number; selector: { matchLabels?: Readonly<Record<string, string>> } };
  status?: { readyReplicas?: number };
}

export interface ClusterPod {
  kind: 'Pod';
  metadata: Metadata;
  status?: { phase?: string; conditions?: readonly { type: string; status: string; reason?: string }[] };
}

/** An autoscaler, what it scales, and the pods of that. */
export interface ClusterView {
  autoscaler: Autoscaler;
  deployment: Deployment;
  pods: readonly ClusterPod[];
}

/**
 * Finds an autoscaler with its Deployment and pods among the objects of a namespace.
 * @param list `{ items }` of which each has its kind
 * @param name of the autoscaler; the only one if absent
 * @throws KedgeError `config-invalid` where it is not there, or not of a Deployment
 */
export function viewOf(list: unknown, name?: string): ClusterView {
  const items = (list as { items?: readonly { kind?: string; metadata: Metadata }[] }).items ?? [];
  const autoscalers = items.filter((item): item is Autoscaler => item.kind === 'HorizontalPodAutoscaler');
  const names = autoscalers.map((one) => one.metadata.name).join(', ');
  const found = autoscalers.filter((one) => name === undefined || one.metadata.name === name);
  if (found.length !== 1) {
    const known = names === '' ? 'there is none' : `there are: ${names}`;
    throw invalid(`The namespace must have ${name ? `an autoscaler ${name}` : 'one autoscaler'}; ${known}`);
  }
  const autoscaler = found[0]!;
  const { kind, name: target } = autoscaler.spec.scaleTargetRef;
  const deployment = items.find(
    (item): item is Deployment & typeof item => item.kind === kind && item.metadata.name === target,
  );
  const labels = deployment?.spec.selector.matchLabels;
  if (kind !== 'Deployment' || !deployment || !labels) {
    throw invalid(`${autoscaler.metadata.name} scales ${kind} ${target}, which is no Deployment that is there`);
  }
  const isOurs = ({ metadata }: { metadata: Metadata }): boolean =>
    Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value);
  const pods = items.filter((item): item is ClusterPod => item.kind === 'Pod').filter(isOurs);
  return { autoscaler, deployment, pods };
}

function invalid(message: string): KedgeError {
  return new KedgeError('config-invalid', `${message}. Name it by --autoscaler and --namespace.`);
}
