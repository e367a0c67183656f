import { type Any, matches } from './objects.ts';
import { programs } from './pods.ts';

/** Sentences on namespaces that requests come from, and that the policies, where there are some, keep away from servers. */
export function keptOut(objects: readonly Any[]): string[] {
  const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy');
  if (policies.length === 0) return [];
  return programs(objects, 'serve').flatMap(({ workload, container }) => {
    const http = container.ports.find(({ name }: Any) => name === 'http').containerPort;
    const sources = policies
      .filter(({ spec }) => matches(workload.labels, spec.podSelector.matchLabels))
      .flatMap(({ spec }) => spec.ingress ?? [])
      .filter(({ ports }: Any) => ports.some(({ port }: Any) => port === http))
      .flatMap(({ from }: Any) => from)
      // All pods of a namespace, and not those alone that bear a label.
      .filter(({ podSelector }: Any) => podSelector === undefined)
      .map(({ namespaceSelector }: Any) => namespaceSelector.matchLabels['kubernetes.io/metadata.name']);
    return askers(objects)
      .filter((namespace) => !sources.includes(namespace))
      .map((namespace) => `no policy lets requests from ${namespace} in`);
  });
}

/** Namespaces of the gateway, and of KEDA's interceptor, which is beside the scaler that it tells. */
function askers(objects: readonly Any[]): string[] {
  return objects.flatMap(({ kind, spec }) => {
    if (kind === 'HTTPRoute') return spec.parentRefs.map(({ namespace }: Any) => namespace);
    if (kind !== 'ScaledObject') return [];
    return spec.triggers
      .filter(({ type }: Any) => type === 'external-push')
      .map(({ metadata }: Any) => /^[^.]+\.([^.:]+)/.exec(metadata.scalerAddress)?.[1]);
  });
}
