import { ERRORS } from '../../contract/errors.ts';
import { loaderSettings } from '../../loader/config.ts';
import { readSettings, type Settings } from '../../platform/settings.ts';
import { publisherSettings } from '../../registry/config.ts';
import { readServerConfig, serverSettings } from '../../server/config.ts';
import { gateSettings, historySettings, trainingSettings } from '../../trainer/config.ts';
import { type Any, containersOf, type Workload, workloads } from './objects.ts';

/** What the AWS SDK reads by itself. */
const OF_THE_SDK = ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS'];

const TABLES: Settings[] = [
  serverSettings,
  loaderSettings,
  publisherSettings,
  historySettings,
  trainingSettings,
  gateSettings,
];

/** Sentences on pods that the profile `restricted` of Pod Security would refuse. */
export function insecurePods(objects: readonly Any[]): string[] {
  const volumes = [
    'configMap',
    'downwardAPI',
    'emptyDir',
    'projected',
    'secret',
    'csi',
    'persistentVolumeClaim',
    'ephemeral',
    'image',
  ];
  return workloads(objects).flatMap(({ kind, name, pod }) => {
    const problems: string[] = [];
    const check = (good: boolean, sentence: string): void => {
      if (!good) problems.push(`${kind} ${name}: ${sentence}`);
    };
    const security = pod.securityContext ?? {};
    check(security.runAsNonRoot === true && security.runAsUser > 0, 'may run as root');
    check(security.seccompProfile?.type === 'RuntimeDefault', 'has no seccomp profile');
    check(!pod.hostNetwork && !pod.hostPID && !pod.hostIPC, 'takes a namespace of the host');
    check(pod.automountServiceAccountToken === false, 'is given a token of the API server');
    check(pod.enableServiceLinks === false, 'is given variables of Services');
    for (const volume of pod.volumes ?? [])
      check(
        volumes.some((type) => type in volume),
        `volume ${volume.name} is of another kind`,
      );
    for (const container of containersOf(pod)) {
      const own = container.securityContext ?? {};
      check(own.allowPrivilegeEscalation === false, `${container.name} may gain privileges`);
      check(own.readOnlyRootFilesystem === true, `${container.name} may write its root file system`);
      check(own.capabilities?.drop?.includes('ALL') && !own.capabilities.add, `${container.name} keeps capabilities`);
      check(
        !own.privileged && !(container.ports ?? []).some((port: Any) => port.hostPort),
        `${container.name} reaches the host`,
      );
      for (const resource of ['cpu', 'memory', 'ephemeral-storage'])
        for (const side of ['requests', 'limits'])
          check(
            container.resources?.[side]?.[resource] !== undefined,
            `${container.name} has no ${side} of ${resource}`,
          );
    }
    return problems;
  });
}

/** Containers of ours, by what they run. */
export function programs(objects: readonly Any[], command: string): { workload: Workload; container: Any }[] {
  return workloads(objects).flatMap((workload) =>
    containersOf(workload.pod)
      .filter(({ args = [], command: own }) => own === undefined && args[0] === command)
      .map((container) => ({ workload, container })),
  );
}

/** The environment of a container, as far as the manifests say it; what comes from elsewhere is left out. */
export function environmentOf(container: Any, objects: readonly Any[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const { configMapRef } of container.envFrom ?? [])
    Object.assign(
      env,
      objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef?.name)?.data,
    );
  for (const { name, value } of container.env ?? []) if (value !== undefined) env[name] = value;
  return env;
}

/** Sentences on variables that no program reads, values that it would not take, and ports or probes that are not its own. */
export function wrongSettings(objects: readonly Any[]): string[] {
  const known = new Set([...OF_THE_SDK, ...TABLES.flatMap((table) => Object.values(table)).map(({ env }) => env)]);
  const problems: string[] = [];
  const ours = workloads(objects).filter(({ labels }) => labels['app.kubernetes.io/name'] === 'kedge');
  const names = ours
    .flatMap(({ pod }) => containersOf(pod))
    .flatMap((container) => [
      ...Object.keys(environmentOf(container, objects)),
      ...(container.env ?? []).map(({ name }: Any) => name),
    ]);
  for (const name of new Set(names)) if (!known.has(name)) problems.push(`no program reads ${name}`);
  const read = (command: string, reader: (env: Record<string, string>) => unknown): void => {
    for (const { container } of programs(objects, command)) {
      try {
        reader(environmentOf(container, objects));
      } catch (error) {
        problems.push(`${command}: ${(error as Error).message}`);
      }
    }
  };
  read('serve', readServerConfig);
  read('load', (env) => readSettings(loaderSettings, env));
  read('train', (env) => readSettings({ ...trainingSettings, ...gateSettings }, env));
  const ports = (command: string, wanted: Record<string, string>): void => {
    for (const { container } of programs(objects, command)) {
      const given = Object.fromEntries(container.ports.map((port: Any) => [port.name, String(port.containerPort)]));
      if (JSON.stringify(given) !== JSON.stringify(wanted))
        problems.push(`${command} listens on ${JSON.stringify(wanted)}, not on ${JSON.stringify(given)}`);
    }
  };
  ports('serve', { http: serverSettings.port.default!, admin: serverSettings.adminPort.default! });
  ports('load', { loader: loaderSettings.port.default! });
  const paths: Record<string, RegExp> = { serve: /^\/v2\/health\/(live|ready)$/, load: /^\/(livez|startupz|readyz)$/ };
  for (const [command, path] of Object.entries(paths)) {
    for (const { workload, container } of programs(objects, command)) {
      for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
        const asked = container[probe]?.httpGet?.path;
        if (asked !== undefined && !path.test(asked)) problems.push(`${command}: ${probe} asks ${asked}`);
      }
      if (/ready/.test(container.livenessProbe?.httpGet?.path ?? 'ready'))
        problems.push(`${command}: liveness must not hang on models`);
      const writes = container.volumeMounts.some((mount: Any) => mount.name === 'models' && !mount.readOnly);
      if (writes !== (command === 'load')) problems.push(`${workload.name}: only the loader writes the volume`);
    }
  }
  return problems;
}

/** Sentences on Jobs that would end otherwise than the programs mean it. */
export function wrongJobs(objects: readonly Any[]): string[] {
  const final = [ERRORS['config-invalid'].exit, ERRORS['training-incomplete'].exit];
  return workloads(objects)
    .filter(({ kind }) => kind !== 'Deployment')
    .flatMap(({ name, spec, pod }) => {
      const problems: string[] = [];
      const check = (good: boolean, sentence: string): void => {
        if (!good) problems.push(`${name}: ${sentence}`);
      };
      check(pod.restartPolicy === 'Never', 'a policy on failures wants restartPolicy Never');
      check(spec.podReplacementPolicy === 'Failed', 'a policy on failures wants podReplacementPolicy Failed');
      check(spec.activeDeadlineSeconds > 0 && spec.ttlSecondsAfterFinished > 0, 'may run, or stay, for ever');
      check(spec.completions === undefined, 'workers end when the queue is drained, and not by a number');
      const [rule] = (spec.podFailurePolicy?.rules ?? []).filter((one: Any) => one.action === 'FailJob');
      check(
        JSON.stringify(rule?.onExitCodes?.values) === JSON.stringify(final),
        `gives up at other exit codes than ${final}`,
      );
      check(
        pod.containers.some((one: Any) => one.name === rule?.onExitCodes?.containerName),
        'looks at the exit code of another container',
      );
      return problems;
    });
}
