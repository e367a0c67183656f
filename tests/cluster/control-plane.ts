import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort } from '../e2e/programs.ts';
import { Api } from './api.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { Kubectl } from './kubectl.ts';
import { PROGRAMS } from './machine.ts';
import { type Logged, startLogged } from './processes.ts';

/** Everything that makes, counts and clears away what our manifests ask for. Nodes and scheduling are not among them: tests/cluster/node.ts. */
const CONTROLLERS = [
  'deployment',
  'replicaset',
  'statefulset',
  'daemonset',
  'horizontal-pod-autoscaler',
  'job',
  'cronjob',
  'disruption',
  'endpointslice',
  'garbage-collector',
  'namespace',
  'serviceaccount',
  'serviceaccount-token',
  'root-ca-certificate-publisher',
  'ttl-after-finished',
  'clusterrole-aggregation',
].map((name) => `${name}-controller`);

/** The addresses of Services, of which a test gives those in use to the bridge of its pods. */
const SERVICE_RANGE = '10.112.0.0/16';
const ADMIN_TOKEN = 'admin-of-a-test';
const CONTROLLERS_TOKEN = 'controllers-of-a-test';
/** Of a user without any right, but for those that a test gives. */
const GUEST_TOKEN = 'guest-of-a-test';
export const GUEST = 'guest';
const START_MS = 120_000;

export interface ControlPlane {
  api: Api;
  kubectl: Kubectl;
  certificates: Certificates;
  /** Path of the kubeconfig of {@link GUEST}. */
  guestConfig: string;
  /** For the logs of whatever runs on it; goes away at its stop. */
  folder: string;
  stop(): Promise<void>;
}

/**
 * etcd, the API server and the controller manager as processes of this machine: RBAC, the admission plugins that are on by default, with them Pod
 * Security and service accounts, and a certificate authority of its own.
 */
export async function startControlPlane(): Promise<ControlPlane> {
  const folder = mkdtempSync(join(tmpdir(), 'kedge-cluster-'));
  const running: Logged[] = [];
  const stop = async (): Promise<void> => {
    // Whoever writes ends before whom it writes to. An API server takes long to give up its watches, and holds nothing that is wanted later.
    for (const one of running.toReversed()) await one.end();
    rmSync(folder, { recursive: true, force: true });
  };
  const start = (program: keyof typeof PROGRAMS, words: readonly string[]): Logged => {
    const started = startLogged(PROGRAMS[program], words, join(folder, `${program}.log`));
    running.push(started);
    return started;
  };
  try {
    const certificates = makeCertificates(folder);
    const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
    start('etcd', etcdFlags(folder, etcdPort, peerPort));
    writeFileSync(
      join(folder, 'tokens.csv'),
      `${ADMIN_TOKEN},admin,1,system:masters\n${CONTROLLERS_TOKEN},system:kube-controller-manager,2\n${GUEST_TOKEN},${GUEST},3\n`,
    );
    start('apiserver', apiserverFlags(folder, certificates, etcdPort, port));
    const url = `https://127.0.0.1:${port}`;
    const api = new Api({ url, ca: certificates.caText, token: ADMIN_TOKEN });
    // Whole, its roles included: the controllers wait for that no longer than ten seconds.
    await eventually(() => api.isReady(), 'the API server', START_MS);
    const controllersConfig = writeKubeconfig(folder, 'controllers', url, certificates.ca, CONTROLLERS_TOKEN);
    start('controllers', controllerFlags(certificates, controllersConfig));
    const config = writeKubeconfig(folder, 'admin', url, certificates.ca, ADMIN_TOKEN);
    await eventually(() => api.get('/api/v1/namespaces/default/serviceaccounts/default'), 'the controllers', START_MS);
    mkdirSync(join(folder, 'logs'));
    const guestConfig = writeKubeconfig(folder, 'guest', url, certificates.ca, GUEST_TOKEN);
    return { api, kubectl: new Kubectl(config, join(folder, 'kubectl')), certificates, guestConfig, folder, stop };
  } catch (error) {
    const tails = running.map(({ tail }) => tail()).join('\n');
    await stop();
    throw new Error(`The control plane did not start. It wrote last:\n${tails}`, { cause: error });
  }
}

function etcdFlags(folder: string, port: number, peerPort: number): string[] {
  const [client, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
  ];
}

function apiserverFlags(
  folder: string,
  { ca, certificate, key, accounts, frontProxy }: Certificates,
  etcdPort: number,
  port: number,
): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${certificate}`,
    `--tls-private-key-file=${key}`,
    `--client-ca-file=${ca}`,
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    `--service-cluster-ip-range=${SERVICE_RANGE}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${accounts}`,
    `--service-account-signing-key-file=${accounts}`,
    // As whom it passes requests on to servers of other APIs, such as that of metrics, and how it tells them the user.
    `--requestheader-client-ca-file=${frontProxy.ca}`,
    `--requestheader-allowed-names=${frontProxy.name}`,
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${frontProxy.certificate}`,
    `--proxy-client-key-file=${frontProxy.key}`,
  ];
}

function controllerFlags({ ca, accounts }: Certificates, kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--controllers=${CONTROLLERS.join()}`,
    '--leader-elect=false',
    '--secure-port=0',
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${accounts}`,
    `--root-ca-file=${ca}`,
    '--horizontal-pod-autoscaler-sync-period=2s',
  ];
}

function writeKubeconfig(folder: string, name: string, server: string, ca: string, token: string): string {
  const path = join(folder, `${name}.kubeconfig`);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority': ca } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}
