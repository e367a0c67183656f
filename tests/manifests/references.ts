import { type Any, containersOf, matches, type Workload, workloads } from './objects.ts';
import { keptOut } from './policies.ts';

/** Secrets that nobody but the owner of a cluster can make. */
const SECRETS_OF_OTHERS = ['kedge-s3', 'kedge-stores'];

/** Sentences on whatever names something that is not there. */
export function brokenReferences(objects: readonly Any[]): string[] {
  const all = workloads(objects);
  const has = (kind: string, name: string): boolean =>
    objects.some((object) => object.kind === kind && object.metadata.name === name);
  return [
    ...objects.flatMap((object) => ofObject(object, objects, all)),
    ...all.flatMap((one) => ofPod(one, has)),
    ...ofAutoscalers(objects, all),
    ...keptOut(objects),
  ];
}

function ofObject(object: Any, objects: readonly Any[], all: readonly Workload[]): string[] {
  const { kind, metadata, spec } = object;
  const told = (sentence: string): string => `${kind} ${metadata.name}: ${sentence}`;
  const selected = (labels: Record<string, string>): Workload[] => all.filter((one) => matches(one.labels, labels));
  const ports = (found: readonly Workload[]): (string | number)[] =>
    found
      .flatMap(({ pod }) => containersOf(pod))
      .flatMap(({ ports = [] }) => ports.flatMap((port: Any) => [port.name, port.containerPort]));
  const needs = (found: readonly Workload[], wanted: readonly Any[]): string[] => [
    ...(found.length === 0 ? [told('selects no pod')] : []),
    ...wanted
      .filter((port) => port !== undefined && !ports(found).includes(port))
      .map((port) => told(`port ${port} is none of the pods'`)),
  ];
  switch (kind) {
    case 'Service':
      return needs(
        selected(spec.selector),
        spec.ports.map((port: Any) => port.targetPort),
      );
    case 'PodDisruptionBudget':
      return needs(selected(spec.selector.matchLabels), []);
    case 'PodMonitor':
      return needs(
        selected(spec.selector.matchLabels),
        spec.podMetricsEndpoints.map((one: Any) => one.port),
      );
    case 'NetworkPolicy': {
      const inbound = (spec.ingress ?? []).flatMap((rule: Any) => (rule.ports ?? []).map((port: Any) => port.port));
      // That of trainers is there whether or not anything is trained in this cluster.
      if (metadata.name === 'kedge-trainer' && selected(spec.podSelector.matchLabels).length === 0) return [];
      return needs(selected(spec.podSelector.matchLabels), inbound);
    }
    case 'HTTPRoute':
    case 'InterceptorRoute': {
      const backends =
        kind === 'HTTPRoute'
          ? spec.rules.flatMap((rule: Any) => rule.backendRefs)
          : [{ name: spec.target.service, port: spec.target.port }];
      return backends.flatMap(({ name, port }: Any) => {
        const service = objects.find((one) => one.kind === 'Service' && one.metadata.name === name);
        if (!service) return [told(`there is no Service ${name}`)];
        return service.spec.ports.some((one: Any) => one.port === port)
          ? []
          : [told(`Service ${name} has no port ${port}`)];
      });
    }
    case 'ConfigMap': {
      // Metrics that an adapter is to make of others.
      const made = [...(object.data?.['config.yaml'] ?? '').matchAll(/ as: (\w+)/g)].map(([, name]) => name);
      const asked = objects.flatMap((one) => (one.spec?.metrics ?? []).map((metric: Any) => metric.pods?.metric.name));
      return made.filter((name) => !asked.includes(name)).map((name) => told(`no autoscaler asks for ${name}`));
    }
    case 'Deployment':
      return matches(spec.template.metadata.labels, spec.selector.matchLabels)
        ? []
        : [told('does not select its own pods')];
    default:
      return [];
  }
}

function ofPod({ kind, name, pod }: Workload, has: (kind: string, name: string) => boolean): string[] {
  const problems: string[] = [];
  const check = (good: boolean, sentence: string): void => {
    if (!good) problems.push(`${kind} ${name}: ${sentence}`);
  };
  const account = pod.serviceAccountName;
  check(account === undefined || has('ServiceAccount', account), `there is no ServiceAccount ${account}`);
  const volumes = (pod.volumes ?? []).map((volume: Any) => volume.name);
  for (const { persistentVolumeClaim: claim } of pod.volumes ?? [])
    check(
      !claim || has('PersistentVolumeClaim', claim.claimName),
      `there is no PersistentVolumeClaim ${claim?.claimName}`,
    );
  const names = containersOf(pod).map((container) => container.name);
  check(new Set(names).size === names.length, 'two containers bear one name');
  for (const container of containersOf(pod)) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      if (configMapRef) check(has('ConfigMap', configMapRef.name), `there is no ConfigMap ${configMapRef.name}`);
      if (secretRef)
        check(
          SECRETS_OF_OTHERS.includes(secretRef.name) || has('Secret', secretRef.name),
          `there is no Secret ${secretRef.name}`,
        );
    }
    for (const { valueFrom } of container.env ?? []) {
      const of = valueFrom?.resourceFieldRef?.containerName;
      check(of === undefined || names.includes(of), `there is no container ${of}`);
    }
    for (const mount of container.volumeMounts ?? [])
      check(volumes.includes(mount.name), `there is no volume ${mount.name}`);
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      const port = container[probe]?.httpGet?.port ?? container[probe]?.tcpSocket?.port;
      check(
        port === undefined || (container.ports ?? []).some((one: Any) => one.name === port),
        `${probe} of ${container.name} asks port ${port}`,
      );
    }
  }
  return problems;
}

/** Targets that are there, one owner of the number of pods, no second one that resizes what it counts by. */
function ofAutoscalers(objects: readonly Any[], all: readonly Workload[]): string[] {
  const problems: string[] = [];
  const owners = new Map<string, string>();
  for (const { kind, metadata, spec } of objects) {
    const ref =
      kind === 'VerticalPodAutoscaler'
        ? spec.targetRef
        : ['HorizontalPodAutoscaler', 'ScaledObject'].includes(kind)
          ? spec.scaleTargetRef
          : undefined;
    if (!ref) continue;
    const target = all.find((one) => one.kind === ref.kind && one.name === ref.name);
    const told = (sentence: string): void => void problems.push(`${kind} ${metadata.name}: ${sentence}`);
    if (!target) {
      told(`there is no ${ref.kind} ${ref.name}`);
      continue;
    }
    const containers = containersOf(target.pod).map((container) => container.name);
    const named = [
      ...(spec.metrics ?? []).map((metric: Any) => metric.containerResource?.container),
      ...(spec.triggers ?? []).map((trigger: Any) => trigger.metadata.containerName),
      ...(spec.resourcePolicy?.containerPolicies ?? []).map((policy: Any) => policy.containerName),
    ];
    for (const name of named)
      if (name !== undefined && !containers.includes(name)) told(`there is no container ${name}`);
    if (kind === 'VerticalPodAutoscaler') {
      const cpu = spec.resourcePolicy.containerPolicies.some((policy: Any) =>
        policy.controlledResources.includes('cpu'),
      );
      if (cpu && target.kind === 'Deployment') told('resizes the CPU that the number of pods is counted by');
      continue;
    }
    if (owners.has(ref.name)) told(`${owners.get(ref.name)} owns the number of pods already`);
    owners.set(ref.name, kind);
    if (target.spec.replicas !== undefined) told(`${ref.name} says a number of pods itself`);
  }
  return problems;
}
