import { loaderSettings } from '../../loader/config.ts';
import { readSettings } from '../../platform/settings.ts';
import { readServerConfig } from '../../server/config.ts';
import { type Any, containersOf, workloads } from './objects.ts';
import { environmentOf, programs } from './pods.ts';

const MIB = 2 ** 20;

/** From the end of the grace of a server to its end: release of models, close of the admin port, what lingers; and then the stop of the loader. */
const SERVER_END_MS = 4_500;
const LOADER_END_MS = 10_000;
/** What a program takes besides models and probes. */
const OWN_BYTES = 192 * MIB;

/** `4Gi`, `250m`, `64Mi`, `1` as a number. @throws for any other unit */
export function quantity(text: string | number): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(m|k|M|G|Ki|Mi|Gi|Ti)?$/.exec(String(text)) ?? [];
  const factors: Record<string, number> = {
    '': 1,
    m: 1e-3,
    k: 1e3,
    M: 1e6,
    G: 1e9,
    Ki: 2 ** 10,
    Mi: MIB,
    Gi: 2 ** 30,
    Ti: 2 ** 40,
  };
  if (number === '') throw new Error(`'${text}' is no quantity`);
  return Number(number) * factors[unit]!;
}

/** Sentences on sums that do not work out. */
export function wrongSums(objects: readonly Any[]): string[] {
  return [...ofServers(objects), ...ofLoaders(objects), ...ofDisks(objects)];
}

function ofServers(objects: readonly Any[]): string[] {
  const problems: string[] = [];
  for (const { workload, container } of programs(objects, 'serve')) {
    const config = readServerConfig(environmentOf(container, objects));
    const graceMs = workload.pod.terminationGracePeriodSeconds * 1_000;
    const preStopMs = (container.lifecycle?.preStop?.sleep?.seconds ?? 0) * 1_000;
    const needed = preStopMs + config.drainMs + config.graceMs + SERVER_END_MS + LOADER_END_MS;
    if (graceMs < needed - (sidecar(workload.pod) ? 0 : LOADER_END_MS))
      problems.push(`a stop takes ${needed / 1_000} s, and ${graceMs / 1_000} are given`);
    const { periodSeconds, failureThreshold } = container.readinessProbe;
    if (periodSeconds * failureThreshold * 1_000 > preStopMs + config.drainMs)
      problems.push('the port closes before the readiness probe tells of it');
    const memory = quantity(container.resources.limits.memory);
    if (config.hostMemoryBytes > memory - 2 * OWN_BYTES)
      problems.push('one host process may take all memory of a server');
    if (config.queueBytes > memory / 4) problems.push('what waits may take more than a quarter of the memory');
  }
  return problems;
}

function ofLoaders(objects: readonly Any[]): string[] {
  return programs(objects, 'load').flatMap(({ workload, container }) => {
    const config = readSettings(loaderSettings, environmentOf(container, objects));
    const problems: string[] = [];
    const probes = config.concurrency * config.probeMemoryBytes;
    const memory = quantity(container.resources.limits.memory);
    if (probes + OWN_BYTES > memory)
      problems.push(`${config.concurrency} probes may take ${probes / MIB} MiB of ${memory / MIB}`);
    const volume = workload.pod.volumes.find(({ name }: Any) => name === 'models');
    const claim = objects.find(
      ({ kind, metadata }) =>
        kind === 'PersistentVolumeClaim' && metadata.name === volume.persistentVolumeClaim?.claimName,
    );
    const size = quantity(claim?.spec.resources.requests.storage ?? volume.emptyDir.sizeLimit);
    if ((config.keep + 1) * config.maxVersionBytes > size)
      problems.push(`the volume has no room for ${config.keep + 1} of the largest versions`);
    const { periodSeconds, failureThreshold } = container.startupProbe;
    if (sidecar(workload.pod) && periodSeconds * failureThreshold * 1_000 < config.probeLoadMs + config.listMs)
      problems.push('a first model may take longer than the startup probe waits');
    const budget = Number(environmentOf(container, objects)['KEDGE_MEMORY_BUDGET_MB'] ?? Number.NaN);
    const [server] = programs(objects, 'serve');
    if (!Number.isNaN(budget) && budget * MIB !== quantity(server!.container.resources.limits.memory))
      problems.push('the loader admits by another memory limit than that of the servers');
    return problems.map((sentence) => `${workload.name}: ${sentence}`);
  });
}

/** A pod is evicted when its emptyDirs, together with what its containers write, pass the sum of their limits. */
function ofDisks(objects: readonly Any[]): string[] {
  return workloads(objects).flatMap(({ name, pod }) => {
    const folders = (pod.volumes ?? []).reduce(
      (sum: number, { emptyDir }: Any) => sum + (emptyDir ? quantity(emptyDir.sizeLimit) : 0),
      0,
    );
    const limit = containersOf(pod).reduce(
      (sum, { resources }) => sum + quantity(resources.limits['ephemeral-storage']),
      0,
    );
    return folders > limit ? [`${name}: emptyDirs hold ${folders / MIB} MiB, and the pod may take ${limit / MIB}`] : [];
  });
}

function sidecar(pod: Any): boolean {
  return (pod.initContainers ?? []).some(
    ({ restartPolicy, args = [] }: Any) => restartPolicy === 'Always' && args[0] === 'load',
  );
}
