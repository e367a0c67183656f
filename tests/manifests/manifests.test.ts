import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Command, Context } from '../../bin/command.ts';
import { runCommand } from '../../bin/run.ts';
import { TASKS_LEFT } from '../../trainer/queue/tasks-left.ts';
import { quantity } from './arithmetic.ts';
import {
  type Any,
  COMBINATIONS,
  documents,
  envFile,
  hasKustomize,
  MANIFESTS,
  rawBase,
  readYaml,
  renderComponents,
  renderOverlay,
  renderText,
  withKustomize,
  workloads,
} from './objects.ts';
import { programs } from './pods.ts';
import { problemsOf } from './problems.ts';
import { brokenReferences } from './references.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COMPONENTS = readdirSync(join(MANIFESTS, 'components'));
const OVERLAYS = readdirSync(join(MANIFESTS, 'overlays'));

it('the base, as its files say it', () => expect(problemsOf(rawBase())).toEqual([]));

describe.skipIf(!hasKustomize)(withKustomize('rendered'), () => {
  it.each(OVERLAYS)('overlay %s', (name) => {
    const objects = documents(renderText(join(MANIFESTS, 'overlays', name)));
    expect(problemsOf(objects)).toEqual([]);
    const [namespace] = objects.filter(({ kind }) => kind === 'Namespace');
    expect(namespace.metadata.labels['pod-security.kubernetes.io/enforce']).toBe('restricted');
    const elsewhere = objects.filter(
      (object) => object !== namespace && object.metadata.namespace !== namespace.metadata.name,
    );
    expect(elsewhere).toEqual([]);
  });

  it.each(Object.entries(COMBINATIONS))('components: %s', (_, components) =>
    expect(problemsOf(documents(renderComponents(components)))).toEqual([]),
  );

  it('servers mount a shared volume read-only, and one loader writes it', () => {
    const objects = documents(renderComponents(['shared-volume']));
    const [server] = programs(objects, 'serve');
    const [loader, ...others] = programs(objects, 'load');
    expect(others).toEqual([]);
    expect(server!.workload.pod.initContainers ?? []).toEqual([]);
    const volume = { name: 'models', persistentVolumeClaim: { claimName: 'kedge-models', readOnly: true } };
    expect(server!.workload.pod.volumes).toContainEqual(volume);
    expect(loader!.workload.spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
  });

  it.each(['keda', 'scale-to-zero'])('%s owns the number of pods alone', (name) => {
    const kinds = documents(renderComponents([name])).map(({ kind }) => kind);
    expect(kinds).toContain('ScaledObject');
    expect(kinds).not.toContain('HorizontalPodAutoscaler');
  });

  it.each([
    ['keda', { minReplicaCount: 3, maxReplicaCount: 20 }],
    ['scale-to-zero', { minReplicaCount: 0, maxReplicaCount: 20 }],
  ])('the bounds of production hold with %s as the owner, too', (name, bounds) => {
    const objects = documents(renderOverlay('production', [name]));
    expect(problemsOf(objects)).toEqual([]);
    expect(objects.filter(({ kind }) => kind === 'HorizontalPodAutoscaler')).toEqual([]);
    expect(objects.find(({ kind }) => kind === 'ScaledObject')).toMatchObject({ spec: bounds });
    const autoscaler = documents(renderOverlay('production', [])).find(
      ({ kind }) => kind === 'HorizontalPodAutoscaler',
    );
    expect(autoscaler.spec).toMatchObject({ minReplicas: 3, maxReplicas: 20 });
  });

  it('workers by KEDA: no Job of a fixed number, and the set that the queue keeps is what is counted', () => {
    const objects = documents(renderComponents(['training', 'train-distributed', 'train-keda']));
    const workers = workloads(objects).filter(({ name }) => name === 'kedge-train-workers');
    expect(workers.map(({ kind }) => kind)).toEqual(['ScaledJob']);
    const [scaled] = objects.filter(({ kind }) => kind === 'ScaledJob');
    expect(scaled.spec.triggers).toMatchObject([{ type: 'redis', metadata: { listName: TASKS_LEFT } }]);
  });

  it('the pods of all trainings are one, but for words and sizes', () => {
    const trainings = ['training', 'train-ensure', 'train-distributed'];
    const jobs = [trainings, [...trainings, 'train-keda']].flatMap((components) =>
      workloads(documents(renderComponents(components))).filter(({ kind }) => kind !== 'Deployment'),
    );
    expect(new Set(jobs.map(({ kind, name }) => `${kind} ${name}`)).size).toBe(6);
    const pods = jobs.map(({ labels, pod }) => {
      const containers = pod.containers.map(({ args, resources, ...same }: Any) => same);
      return { labels, pod: { ...pod, containers } };
    });
    for (const pod of pods) expect(pod).toEqual(pods[0]);
  });

  it('what goes first is all that the Job before a deployment needs', () => {
    const objects = documents(renderText(join(MANIFESTS, 'overlays/production')));
    const first = objects.filter(({ metadata }) => metadata.labels?.['kedge/stage'] === 'first');
    expect(first.map(({ kind }) => kind).sort()).toEqual(['ConfigMap', 'Job', 'Namespace', 'ServiceAccount']);
    expect(brokenReferences(first)).toEqual([]);
    const waves = objects.map(
      ({ kind, metadata }) => [kind, Number(metadata.annotations?.['argocd.argoproj.io/sync-wave'] ?? 0)] as const,
    );
    const wave = (kind: string): number =>
      Math.max(...waves.filter(([one]) => one === kind).map(([, number]) => number));
    expect(wave('ConfigMap')).toBeLessThan(wave('Deployment') + 1);
    expect(wave('Job')).toBeLessThan(wave('Deployment'));
  });
});

it('every component is in a combination or an overlay, and every file in its kustomization', () => {
  const used = new Set([
    ...Object.values(COMBINATIONS).flat(),
    ...OVERLAYS.flatMap((name) =>
      readYaml(`overlays/${name}/kustomization.yaml`).components.map((path: string) => path.split('/').pop()),
    ),
  ]);
  expect(COMPONENTS.filter((name) => !used.has(name))).toEqual([]);
  const folders = [
    'base',
    ...COMPONENTS.map((name) => `components/${name}`),
    ...OVERLAYS.map((name) => `overlays/${name}`),
  ];
  for (const folder of folders) {
    const text = readFileSync(join(MANIFESTS, folder, 'kustomization.yaml'), 'utf8');
    const files = readdirSync(join(MANIFESTS, folder)).filter((file) => file !== 'kustomization.yaml');
    expect(
      files.filter((file) => !text.includes(file)),
      folder,
    ).toEqual([]);
  }
});

it('commands that containers are started with are there, and take these words', async () => {
  const known = readFileSync(join(ROOT, 'bin/kedge.ts'), 'utf8');
  const files = readdirSync(MANIFESTS, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
  const ours = files.flatMap((file) => argumentsIn(readFileSync(join(MANIFESTS, file), 'utf8')));
  expect(new Set(ours.map(([name]) => name))).toEqual(new Set(['serve', 'load', 'train', 'history']));
  for (const [name, ...words] of ours) {
    expect(known).toContain(`  ${name}: {`);
    const { command } = (await import(`../../bin/commands/${name}.ts`)) as { command: Command };
    let help = '';
    const out = { write: (text: string) => (help += text) } as unknown as Context['out'];
    const io = { env: {}, out, err: out, signal: new AbortController().signal };
    // Flags are read before help is given.
    expect(await runCommand(name!, command, [...words, '--help'], io)).toBe(0);
    for (const word of words.filter((one) => /^[a-z]/.test(one) && !/\d/.test(one))) expect(help).toContain(word);
  }
  const flag = runCommand('serve', (await import('../../bin/commands/serve.ts')).command, ['--prot', '1'], {} as never);
  await expect(flag).rejects.toThrow(/--prot/);
});

/** `args: [serve]` of containers that run Kedge; those of other images begin with a flag. */
function argumentsIn(text: string): string[][] {
  return [...text.matchAll(/^ +args: (\[.*\])$/gm)]
    .map(([, list]) => documents(list!)[0] as string[])
    .filter(([word]) => !word!.startsWith('-'));
}

it('settings of the base are read by somebody in their default range', () => {
  expect(Object.keys(envFile('base/settings.env'))).toContain('KEDGE_BUCKET');
  expect(['4Gi', '250m', '1', 2, '64Mi'].map(quantity)).toEqual([2 ** 32, 0.25, 1, 2, 2 ** 26]);
  expect(() => quantity('4 GB')).toThrow();
});

describe('told apart from what is right:', () => {
  const server = (objects: Any[]): Any => workloads(objects)[0]!.pod.containers[0];
  const loader = (objects: Any[]): Any => workloads(objects)[0]!.pod.initContainers[0];
  const pod = (objects: Any[]): Any => workloads(objects)[0]!.pod;
  const of = (kind: string) => (objects: Any[]) => objects.find((object) => object.kind === kind)!;
  const settings = (objects: Any[]): Any => of('ConfigMap')(objects).data;
  const autoscaler = of('HorizontalPodAutoscaler');

  it.each<[string, (objects: Any[]) => unknown, RegExp]>([
    [
      'another target',
      (o) => {
        autoscaler(o).spec.scaleTargetRef.name = 'kedgy';
      },
      /no Deployment kedgy/,
    ],
    [
      'another container',
      (o) => {
        autoscaler(o).spec.metrics[0].containerResource.container = 'main';
      },
      /no container main/,
    ],
    [
      'replicas',
      (o) => {
        of('Deployment')(o).spec.replicas = 2;
      },
      /says a number of pods itself/,
    ],
    [
      'a selector',
      (o) => {
        of('Service')(o).spec.selector['app.kubernetes.io/component'] = 'web';
      },
      /Service kedge: selects no pod/,
    ],
    [
      'a port of the Service',
      (o) => {
        of('Service')(o).spec.ports[0].targetPort = 'web';
      },
      /port web is none/,
    ],
    [
      'a budget',
      (o) => {
        of('PodDisruptionBudget')(o).spec.selector.matchLabels = { a: 'b' };
      },
      /selects no pod/,
    ],
    [
      'a port',
      (o) => {
        server(o).ports[0].containerPort = 8000;
      },
      /serve listens on/,
    ],
    [
      'a port of a probe',
      (o) => {
        server(o).livenessProbe.httpGet.port = 'metrics';
      },
      /asks port metrics/,
    ],
    [
      'a path of a probe',
      (o) => {
        loader(o).startupProbe.httpGet.path = '/health';
      },
      /startupProbe asks \/health/,
    ],
    [
      'liveness by models',
      (o) => {
        server(o).livenessProbe.httpGet.path = '/v2/health/ready';
      },
      /must not hang on models/,
    ],
    [
      'a misspelt setting',
      (o) => {
        settings(o).KEDGE_DRAIN_SECOND = '5';
      },
      /no program reads KEDGE_DRAIN_SECOND/,
    ],
    [
      'a value out of range',
      (o) => {
        settings(o).KEDGE_KEEP = '0';
      },
      /KEDGE_KEEP must be/,
    ],
    [
      'a volume that a server writes',
      (o) => {
        server(o).volumeMounts[0].readOnly = false;
      },
      /only the loader writes/,
    ],
    [
      'root',
      (o) => {
        pod(o).securityContext.runAsUser = 0;
      },
      /may run as root/,
    ],
    [
      'capabilities',
      (o) => {
        loader(o).securityContext.capabilities = {};
      },
      /loader keeps capabilities/,
    ],
    [
      'a volume of the host',
      (o) => {
        pod(o).volumes[0] = { name: 'models', hostPath: { path: '/' } };
      },
      /of another kind/,
    ],
    [
      'service links',
      (o) => {
        pod(o).enableServiceLinks = true;
      },
      /variables of Services/,
    ],
    [
      'a short grace',
      (o) => {
        pod(o).terminationGracePeriodSeconds = 30;
      },
      /a stop takes 39.5 s/,
    ],
    [
      'a short drain',
      (o) => {
        settings(o).KEDGE_DRAIN_SECONDS = '3';
      },
      /before the readiness probe tells/,
    ],
    [
      'many probes',
      (o) => {
        settings(o).KEDGE_CONCURRENCY = '4';
      },
      /4 probes may take 2048 MiB of 1280/,
    ],
    [
      'a large host',
      (o) => {
        settings(o).KEDGE_HOST_MEMORY_MB = '4096';
      },
      /may take all memory/,
    ],
    [
      'a large version',
      (o) => {
        settings(o).KEDGE_MAX_VERSION_MB = '2000';
      },
      /no room for 3/,
    ],
    [
      'a small disk',
      (o) => {
        loader(o).resources.limits['ephemeral-storage'] = '1Gi';
      },
      /emptyDirs hold/,
    ],
    [
      'a ConfigMap',
      (o) => {
        loader(o).envFrom[0].configMapRef.name = 'settings';
      },
      /no ConfigMap settings/,
    ],
    [
      'limits of a container',
      (o) => {
        loader(o).env[0].valueFrom.resourceFieldRef.containerName = 'web';
      },
      /no container web/,
    ],
  ])('%s', (_, change, sentence) => {
    const objects = rawBase();
    change(objects);
    expect(problemsOf(objects).join('\n')).toMatch(sentence);
  });
});

it('paths in the kustomizations exist', () => {
  for (const file of readdirSync(MANIFESTS, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('kustomization.yaml'),
  )) {
    const { resources = [], components = [] } = readYaml(file);
    const missing = [...resources, ...components].filter((path) => !existsSync(join(MANIFESTS, dirname(file), path)));
    expect(missing, relative(MANIFESTS, file)).toEqual([]);
  }
});
