import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments, stringify } from 'yaml';

/** A Kubernetes object, or any part of one: what is in it is for the checks to find out. */
// biome-ignore lint/suspicious/noExplicitAny: schemas of Kubernetes are held by kubeconform; here only paths are followed
export type Any = any;

export const MANIFESTS = fileURLToPath(new URL('../../manifests/', import.meta.url));

export function documents(text: string): Any[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0]!;
    return document.toJS();
  });
}

export function readYaml(path: string): Any {
  return parse(readFileSync(join(MANIFESTS, path), 'utf8'));
}

/** The base as its files say it, and the settings as kustomize would make them into a ConfigMap: what can be checked where there is no kustomize. */
export function rawBase(): Any[] {
  const files = readYaml('base/kustomization.yaml').resources as string[];
  const objects = files.flatMap((file) => documents(readFileSync(join(MANIFESTS, 'base', file), 'utf8')));
  return [...objects, { kind: 'ConfigMap', metadata: { name: 'kedge' }, data: envFile('base/settings.env') }];
}

export function envFile(path: string): Record<string, string> {
  const lines = readFileSync(join(MANIFESTS, path), 'utf8').split('\n');
  const pairs = lines.filter((line) => line && !line.startsWith('#')).map((line) => /^(\w+)=(.*)$/.exec(line)!);
  return Object.fromEntries(pairs.map(([, name, value]) => [name!, value!]));
}

const INSTALLED = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kedge/manifest-tools/kustomize');

/** tests/install-manifest-tools.sh installs it; kubectl brings it along. */
function kustomize(): [string, string] | undefined {
  if (process.env['KEDGE_TEST_KUSTOMIZE'] === 'none') return undefined;
  if (existsSync(INSTALLED)) return [INSTALLED, 'build'];
  const paths = (process.env['PATH'] ?? '').split(':');
  return paths.some((path) => existsSync(join(path, 'kubectl'))) ? ['kubectl', 'kustomize'] : undefined;
}

const found = kustomize();
export const hasKustomize = found !== undefined;

export function withKustomize(title: string): string {
  return hasKustomize ? title : `${title} (left out: no kustomize; tests/install-manifest-tools.sh installs it)`;
}

/** What `kubectl apply -k` of this folder would send, as text. */
export function renderText(folder: string): string {
  const [program, verb] = found!;
  return execFileSync(program, [verb, folder], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The base with these components. */
export function renderComponents(components: readonly string[]): string {
  return rendered((folder) => {
    writeFileSync(
      join(folder, 'kustomization.yaml'),
      stringify({
        apiVersion: 'kustomize.config.k8s.io/v1beta1',
        kind: 'Kustomization',
        namespace: 'kedge',
        resources: [relative(folder, join(MANIFESTS, 'base'))],
        // As every overlay does: that of the base does not reach what components bring.
        images: [{ name: 'kedge', newTag: '1.0.0' }],
        components: components.map((name) => relative(folder, join(MANIFESTS, 'components', name))),
      }),
    );
  });
}

/** A copy of an overlay that takes these components besides, as docs/kubernetes.md says to make one. */
export function renderOverlay(name: string, components: readonly string[]): string {
  const from = join(MANIFESTS, 'overlays', name);
  return rendered((folder) => {
    cpSync(from, folder, { recursive: true });
    const content = readYaml(`overlays/${name}/kustomization.yaml`);
    const moved = (path: string): string => (path.startsWith('../') ? relative(folder, join(from, path)) : path);
    const added = components.map((component) => `../../components/${component}`);
    content.resources = content.resources.map(moved);
    content.components = [...content.components, ...added].map(moved);
    writeFileSync(join(folder, 'kustomization.yaml'), stringify(content));
  });
}

/** @param write puts a kustomization into a folder that is gone afterwards */
function rendered(write: (folder: string) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'kedge-kustomize-'));
  try {
    write(folder);
    return renderText(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The ways of putting the components together; each is in one at least. */
export const COMBINATIONS: Record<string, string[]> = {
  'shared-volume': ['shared-volume', 'monitoring', 'network-policy', 'gateway', 'external-stores'],
  keda: ['keda', 'monitoring', 'vpa', 'network-policy'],
  'prometheus-adapter': ['prometheus-adapter', 'monitoring'],
  'scale-to-zero': ['scale-to-zero', 'network-policy'],
  training: ['training', 'train-ensure', 'vpa-training', 'external-stores', 'network-policy'],
  'distributed training': ['training', 'train-distributed', 'external-stores'],
  'workers by KEDA': ['training', 'train-distributed', 'train-keda', 'external-stores', 'network-policy'],
};

export interface Workload {
  kind: string;
  name: string;
  /** Labels of its pods. */
  labels: Record<string, string>;
  pod: Any;
  /** Of the Deployment, or of the Job, whatever starts it. */
  spec: Any;
}

/** Everything that makes pods. */
export function workloads(objects: readonly Any[]): Workload[] {
  return objects.flatMap((object) => {
    const job = { CronJob: object.spec?.jobTemplate?.spec, ScaledJob: object.spec?.jobTargetRef };
    const spec = object.kind in job ? job[object.kind as keyof typeof job] : object.spec;
    if (!['Deployment', 'Job', 'CronJob', 'ScaledJob'].includes(object.kind)) return [];
    const { metadata, spec: pod } = spec.template;
    return [{ kind: object.kind, name: object.metadata.name, labels: metadata.labels, pod, spec }];
  });
}

export function containersOf(pod: Any): Any[] {
  return [...(pod.initContainers ?? []), ...pod.containers];
}

export function matches(labels: Record<string, string>, selector: Record<string, string> = {}): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}
