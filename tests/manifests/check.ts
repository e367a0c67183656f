/**
 * Renders every overlay and every combination of components, and holds them against the schemas of Kubernetes and of the add-ons (kubeconform) and
 * against good practice (kube-score), then tries the alert rules. tests/install-manifest-tools.sh installs what it runs.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMBINATIONS, MANIFESTS, renderComponents, renderText } from './objects.ts';
import { KUBERNETES, makeSchemas } from './schemas.ts';

/** What kube-score would have otherwise, and why it is as it is. */
const EXCEPTIONS: Record<string, string> = {
  'container-image-pull-policy':
    'images are named by version or digest; a node that has one need not ask for it, and the dev overlay has no registry',
  'deployment-has-host-podantiaffinity':
    'topologySpreadConstraints spread pods over hosts and zones, and count the pods of one revision alone',
};
/** Of the dev overlay and of a base without components: they leave out what a laptop does not need. */
const BARE: Record<string, string> = {
  'pod-networkpolicy':
    'network-policy is a component, as its rules name the namespaces of a platform; production has it',
  'deployment-has-poddisruptionbudget': 'stores of the dev overlay forget everything with their pods',
  'deployment-replicas': 'stores of the dev overlay, and the loader of a shared volume, are one by design',
  'statefulset-has-poddisruptionbudget': 'there are none',
  'pod-probes': 'stores of the dev overlay have a readiness probe alone; trainings end by themselves',
  'container-security-context-user-group-id': 'the image of Postgres has user 70',
};
/** Kinds without a schema to be had: the module of KEDA's HTTP add-on cannot be fetched by Go. */
const WITHOUT_SCHEMA = ['InterceptorRoute'];

const CACHE = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kedge');
const tool = (name: string): string => join(CACHE, 'manifest-tools', name);
for (const name of ['kubeconform', 'kube-score', 'promtool'])
  if (!existsSync(tool(name))) throw new Error(`${name} is not there: bash tests/install-manifest-tools.sh`);

const schemas = makeSchemas(CACHE);
const rendered: Record<string, string> = Object.fromEntries([
  ['base', renderText(join(MANIFESTS, 'base'))],
  ...readdirSync(join(MANIFESTS, 'overlays')).map((name) => [
    `overlay ${name}`,
    renderText(join(MANIFESTS, 'overlays', name)),
  ]),
  ...Object.entries(COMBINATIONS).map(([name, components]) => [`components: ${name}`, renderComponents(components)]),
]);

let failed = false;
const run = (title: string, program: string, args: readonly string[], input: string): void => {
  const { status, stdout, stderr } = spawnSync(tool(program), args, { input, encoding: 'utf8' });
  const said = `${stdout}${stderr}`.trim();
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${program} ${title}${said ? `\n${said}` : ''}`);
  failed ||= status !== 0;
};

for (const [title, text] of Object.entries(rendered)) {
  const location = `${schemas}/{{.ResourceKind}}{{.KindSuffix}}.json`;
  run(
    title,
    'kubeconform',
    ['-strict', '-summary', '-skip', WITHOUT_SCHEMA.join(','), '-schema-location', location, '-'],
    text,
  );
  const ignored = Object.keys({ ...EXCEPTIONS, ...(title === 'overlay production' ? {} : BARE) }).flatMap((name) => [
    '--ignore-test',
    name,
  ]);
  run(
    title,
    'kube-score',
    ['score', '--kubernetes-version', `v${KUBERNETES.replace(/\.\d+$/, '')}`, '--output-format', 'ci', ...ignored, '-'],
    text,
  );
}
for (const [name, reason] of Object.entries({ ...EXCEPTIONS, ...BARE }))
  console.log(`left out of kube-score: ${name}: ${reason}`);
execFileSync(process.execPath, [fileURLToPath(new URL('promtool.ts', import.meta.url)), tool('promtool')], {
  stdio: 'inherit',
});
process.exitCode = failed ? 1 : 0;
