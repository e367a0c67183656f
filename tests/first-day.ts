/**
 * What `kubectl apply -k manifests/overlays/dev` sets going, without a cluster: the programs of the image, with the words and settings that the rendered
 * overlay gives them, over a real S3 server, Redis and Postgres in place of its own. The history is made up, trained on and published; loader
 * and server bring it to a prediction; kedge doctor finds nothing wrong. Usage: node first-day.ts ROOT ENVIRONMENT, of an unpacked image.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres } from '../trainer/history/testing/postgres.ts';
import { hasRedis, startRedis } from '../trainer/queue/testing/redis.ts';
import { eventually, freePort } from './e2e/programs.ts';
import {
  type Any,
  documents,
  hasKustomize,
  MANIFESTS,
  renderText,
  type Workload,
  workloads,
} from './manifests/objects.ts';
import { hasS3Server, startS3Server } from './s3-server.ts';

const [root, environment] = process.argv.slice(2) as [string, string];
const postgres = await startPostgres();
if (!hasS3Server || !hasRedis || !hasKustomize || postgres === undefined) {
  console.log('The first day is left out: it wants an S3 server, Redis, Postgres and kustomize.');
  await postgres?.stop();
  process.exit(0);
}
const s3 = await startS3Server();
const redis = await startRedis();
const objects = documents(renderText(join(MANIFESTS, 'overlays/dev')));
const ofImage = readFileSync(environment, 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
const ports = { KEDGE_PORT: await freePort(), KEDGE_ADMIN_PORT: await freePort(), KEDGE_LOADER_PORT: await freePort() };

/** What the container sees; the addresses of stores are those of the ones here. */
function environmentOf(container: Any): Record<string, string> {
  const env: Record<string, string> = Object.fromEntries(ofImage);
  for (const { configMapRef, secretRef } of container.envFrom) {
    const [kind, name] = configMapRef ? ['ConfigMap', configMapRef.name] : ['Secret', secretRef.name];
    const { data } = objects.find((object) => object.kind === kind && object.metadata.name === name)!;
    for (const [key, value] of Object.entries<string>(data))
      env[key] = kind === 'Secret' ? Buffer.from(value, 'base64').toString() : value;
  }
  if (env['DATABASE_URL']) env['DATABASE_URL'] = postgres!.url;
  if (env['REDIS_URL']) env['REDIS_URL'] = redis.url;
  if (env['AWS_ACCESS_KEY_ID']) Object.assign(env, s3.env);
  return { ...env, ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])) };
}

const running: ChildProcess[] = [];

function start(container: Any, words: readonly string[] = container.args): ChildProcess {
  const args = ['--userspec=10001:10001', root, 'node', '/app/dist/kedge.js', ...words];
  const child = spawn('/usr/sbin/chroot', args, {
    env: environmentOf(container),
    stdio: ['ignore', 'inherit', 'ignore'],
  });
  running.push(child);
  return child;
}

async function toEnd(child: ChildProcess, what: string): Promise<void> {
  const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
  if (code !== 0) throw new Error(`${what} left with ${code}`);
}

const named = (kind: string, name: string): Workload =>
  workloads(objects).find((one) => one.kind === kind && one.name === name)!;

try {
  mkdirSync(join(root, 'models'), { recursive: true });
  for (const folder of ['models', 'tmp']) chmodSync(join(root, folder), 0o777);
  const { pod: job } = named('Job', 'kedge-train-ensure');
  for (const container of [...job.initContainers, ...job.containers]) await toEnd(start(container), container.name);
  // The Job of a later release, on a day without a change.
  await toEnd(start(job.containers[0]), 'a second training');

  const { pod } = named('Deployment', 'kedge');
  const loader = start(pod.initContainers[0]);
  const answers = (port: number, path: string) => (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}${path}`).then(
      ({ ok }) => ok,
      () => false,
    );
  // As the startup probe of the sidecar has it: the server finds all models on the volume, and is ready with all of them.
  await eventually(answers(ports.KEDGE_LOADER_PORT, '/startupz'), 'the start of the loader', 60_000);
  const server = start(pod.containers[0]);
  await eventually(answers(ports.KEDGE_ADMIN_PORT, '/v2/health/ready'), 'readiness', 60_000);
  const index = (await fetch(`http://127.0.0.1:${ports.KEDGE_PORT}/v2/repository/index`, {
    method: 'POST',
    body: '{}',
  }).then((response) => response.json())) as { name: string; state: string }[];
  console.log(index.map(({ name, state }) => `${name} ${state}`).join(', '));
  if (index.filter(({ state }) => state === 'READY').length !== 4) throw new Error('not all four zones are served');
  await toEnd(start(pod.initContainers[0], ['doctor', '--write']), 'kedge doctor');
  for (const [program, name] of [
    [server, 'server'],
    [loader, 'loader'],
  ] as const) {
    program.kill('SIGTERM');
    await toEnd(program, name);
  }
  console.log('The dev overlay goes from an empty bucket to predictions, in the image.');
} finally {
  for (const child of running) child.kill('SIGKILL');
  await Promise.all([s3.stop(), redis.stop(), postgres.stop()]);
}
