/**
 * Renders every overlay and the combinations of components, and holds them against the schemas of Kubernetes and of the add-ons (kubeconform) and
 * against good practice (kube-score), then tries the alert rules. tests/install-manifest-tools.sh installs what it runs.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { complaints, EXCEPTIONS, type Exception } from './kube-score.ts';
import { COMBINATIONS, MANIFESTS, renderComponents, renderText } from './objects.ts';
import { KUBERNETES, makeSchemas, WITHOUT_SCHEMA } from './schemas.ts';

const CACHE = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kedge');
const tool = (name: string): string => join(CACHE, 'manifest-tools', name);
for (const name of ['kubeconform', 'kube-score', 'promtool'])
  if (!existsSync(tool(name))) throw new Error(`${name} is not there: bash tests/install-manifest-tools.sh`);

const schemas = `${makeSchemas(CACHE)}/{{.ResourceKind}}{{.KindSuffix}}.json`;
let failures = 0;
const tell = (good: boolean, sentence: string): void => {
  console.log(`${good ? 'ok  ' : 'FAIL'} ${sentence}`);
  if (!good) failures += 1;
};

function conform(text: string): { good: boolean; said: string } {
  const args = ['-strict', '-summary', '-skip', WITHOUT_SCHEMA.join(','), '-schema-location', schemas, '-'];
  const { status, stdout, stderr } = spawnSync(tool('kubeconform'), args, { input: text, encoding: 'utf8' });
  return { good: status === 0, said: `${stdout}${stderr}`.trim() };
}

const folders = ['base', ...readdirSync(join(MANIFESTS, 'overlays')).map((name) => `overlays/${name}`)];
const rendered = new Map([
  ...folders.map((folder) => [folder, renderText(join(MANIFESTS, folder))] as const),
  ...Object.entries(COMBINATIONS).map(
    ([name, components]) => [`components of ${name}`, renderComponents(components)] as const,
  ),
]);

const taken = new Set<Exception>();
for (const [title, text] of rendered) {
  const { good, said } = conform(text);
  tell(good, `${title}, schemas of Kubernetes ${KUBERNETES}: ${said}`);
  const all = complaints(tool('kube-score'), text);
  const held = all.filter(({ exception }) => exception === undefined);
  for (const { exception } of all) if (exception) taken.add(exception);
  tell(held.length === 0, `${title}, kube-score`);
  for (const { check, object, said: why } of held) console.log(`     ${object}: ${check}: ${why}`);
}
for (const exception of EXCEPTIONS)
  tell(taken.has(exception), `exception of kube-score: ${exception.check} for ${exception.objects}: ${exception.why}`);

// What must be refused is, or the schemas would be none.
for (const [right, wrong] of [
  ['readinessProbe:', 'readyProbe:'],
  ['maxReplicas:', 'maxReplica:'],
] as const)
  tell(!conform(rendered.get('base')!.replace(right, wrong)).good, `the schemas refuse ${wrong}`);

execFileSync(process.execPath, [fileURLToPath(new URL('promtool.ts', import.meta.url)), tool('promtool')], {
  stdio: 'inherit',
});
if (failures > 0) {
  console.error(`${failures} checks of the manifests failed.`);
  process.exitCode = 1;
}
