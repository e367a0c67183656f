import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sizeText } from '../bucket.ts';
import { type Finding, Findings } from './finding.ts';

/** What the control group allows; undefined where it sets no limit. */
export interface Limits {
  memoryBytes: number | undefined;
  cpus: number | undefined;
  /** Whether one process over the limit ends all of the container. */
  endsAll: boolean;
}

export interface MachineFacts extends Limits {
  parallelism: number;
  hostMemoryBytes: number;
  /** All probes of a loader at once. */
  probesBytes: number;
}

/** Reads version 2 of the control groups. @param root of the own group as a container sees it */
export async function readLimits(root = '/sys/fs/cgroup'): Promise<Limits> {
  const read = (file: string): Promise<string> => readFile(join(root, file), 'utf8').catch(() => '');
  const [memory, cpu, group] = await Promise.all([read('memory.max'), read('cpu.max'), read('memory.oom.group')]);
  const [quota, period] = cpu.trim().split(' ');
  return {
    memoryBytes: /^\d+$/.test(memory.trim()) ? Number(memory) : undefined,
    cpus: quota && quota !== 'max' ? Number(quota) / Number(period) : undefined,
    endsAll: group.trim() === '1',
  };
}

/** What the limits of this container mean for the settings. */
export function checkMachine({
  memoryBytes,
  cpus,
  endsAll,
  parallelism,
  hostMemoryBytes,
  probesBytes,
}: MachineFacts): Finding[] {
  const found = new Findings('limits');
  if (memoryBytes === undefined) {
    found.note('no memory limit', 'In a pod, set one: what versions may take together follows from it.');
  } else {
    found.good(`${sizeText(memoryBytes)} of memory`);
    const what = endsAll ? 'all of the container is ended then' : 'the kernel ends some process then';
    if (hostMemoryBytes > memoryBytes)
      found.warn(
        `one host process of a server may take ${sizeText(hostMemoryBytes)}, more than there is; ${what}`,
        'For a server: set KEDGE_HOST_MEMORY_MB to less than the limit.',
      );
    if (probesBytes > memoryBytes)
      found.warn(
        `the probes of a loader may take ${sizeText(probesBytes)} together, more than there is; ${what}`,
        'For a loader: lower KEDGE_CONCURRENCY or KEDGE_PROBE_MEMORY_MB, or raise the limit.',
      );
  }
  if (cpus === undefined)
    found.note(`no CPU limit; ${parallelism} are seen`, 'The number of host processes follows what is seen.');
  else if (cpus < 1)
    found.warn(
      `${cpus} CPUs: a server is stopped for part of each tenth of a second`,
      'Give a server a limit of 1 or more.',
    );
  else found.good(`${cpus} CPUs`);
  return found.list;
}
