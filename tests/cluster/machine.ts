import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { hasRedis } from '../../trainer/queue/testing/redis.ts';
import { hasKustomize } from '../manifests/objects.ts';
import { hasS3Server } from '../s3-server.ts';

/** Where tests/cluster/install.sh puts what it builds. */
const BUILT = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kedge/control-plane');

export const PROGRAMS = {
  etcd: join(BUILT, 'etcd'),
  apiserver: join(BUILT, 'kube-apiserver'),
  controllers: join(BUILT, 'kube-controller-manager'),
  kubectl: join(BUILT, 'kubectl'),
} as const;

/** Folder of initdb and postgres; Debian keeps them out of the PATH. */
export const POSTGRES_PROGRAMS = globSync('/usr/lib/postgresql/*/bin').find((folder) =>
  existsSync(join(folder, 'initdb')),
);

/** Network namespaces with a bridge, and mounts of one's own: what a pod consists of. */
function givesNamespaces(): boolean {
  const words = [
    '--mount',
    '--net',
    '--propagation',
    'private',
    'sh',
    '-c',
    'mount -t tmpfs tmpfs /mnt && ip link add br0 type bridge',
  ];
  return spawnSync('unshare', words).status === 0;
}

function whatIsMissing(): string | undefined {
  if (!process.env['KEDGE_TEST_CLUSTER']) return 'KEDGE_TEST_CLUSTER is not set; npm run test:cluster sets it';
  if (!Object.values(PROGRAMS).every((path) => existsSync(path)))
    return 'no control plane; tests/cluster/install.sh builds it';
  if (!hasKustomize) return 'no kustomize; tests/install-manifest-tools.sh installs it';
  return undefined;
}

function whatPodsLack(): string | undefined {
  if (!hasS3Server || !hasRedis || !POSTGRES_PROGRAMS)
    return 'no S3 server, Redis or Postgres; tests/install-servers.sh installs them';
  if (process.getuid?.() !== 0 || !givesNamespaces()) return 'pods want root, iproute2 and namespaces';
  return undefined;
}

/** Why nothing of a cluster can be tried here; undefined where it can. */
export const missing = whatIsMissing();
/** The same for pods that run. */
export const missingForPods = missing ?? whatPodsLack();

/** For the title of a suite: says so where its tests are left out. */
export function titled(title: string, lack: string | undefined): string {
  return lack === undefined ? title : `${title} (left out: ${lack})`;
}
