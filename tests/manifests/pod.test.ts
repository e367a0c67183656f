import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { linearModel } from '../../contract/onnx/testing/models.ts';
import { freePort, type Program, startProgram } from '../e2e/programs.ts';
import { quantity } from './arithmetic.ts';
import { type Any, rawBase, workloads } from './objects.ts';
import { environmentOf } from './pods.ts';

/**
 * The pod of the base as a kubelet would run it, with the real programs as processes: words, settings and probes are those of the manifest; only
 * bucket, volume and ports are others, since nothing of a container is around them, and waits are shorter.
 */
let dir: string;
let loader: Any;
let server: Any;
const objects = rawBase();
const started: Program[] = [];
/** By the names that the manifest gives them. */
const ports: Record<string, number> = {};

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kedge-pod-'));
  await mkdir(join(dir, 'volume'));
  const { pod } = workloads(objects)[0]!;
  [loader] = pod.initContainers;
  [server] = pod.containers;
  for (const name of ['http', 'admin', 'loader']) ports[name] = await freePort();
});
afterAll(async () => {
  for (const program of started) await program.kill();
  await rm(dir, { recursive: true, force: true });
});

function start(container: Any): Program {
  // What the downward API gives.
  const given = (container.env ?? []).map(({ name, valueFrom: { resourceFieldRef: field } }: Any) => {
    const [key, resource] = field.resource.split('.');
    const of = [loader, server].find((one) => one.name === field.containerName);
    return [name, String(quantity(of.resources[key][resource]) / quantity(field.divisor))];
  });
  const program = startProgram(container.args, {
    ...environmentOf(container, objects),
    ...Object.fromEntries(given),
    KEDGE_BUCKET: `file://${join(dir, 'bucket')}`,
    KEDGE_VOLUME: join(dir, 'volume'),
    KEDGE_PORT: String(ports['http']),
    KEDGE_ADMIN_PORT: String(ports['admin']),
    KEDGE_LOADER_PORT: String(ports['loader']),
    KEDGE_POLL_SECONDS: '0.1',
    KEDGE_LIST_SECONDS: '0.2',
    KEDGE_DRAIN_SECONDS: '1',
  });
  started.push(program);
  return program;
}

/** The status that a probe of the manifest sees; 0 where nothing listens. */
async function probe(container: Any, kind: string): Promise<number> {
  const { path, port } = container[kind].httpGet;
  return fetch(`http://127.0.0.1:${ports[port]}${path}`).then(
    (response) => response.status,
    () => 0,
  );
}

async function until(container: Any, kind: string, status: number): Promise<void> {
  await expect.poll(() => probe(container, kind), { timeout: 60_000, interval: 50 }).toBe(status);
}

it('starts in order, is ready with a model, and drains in order', { timeout: 120_000 }, async () => {
  const sidecar = start(loader);
  // Alive, and holding back the server while nobody knows what there is to serve.
  await until(loader, 'livenessProbe', 200);
  expect(await probe(loader, 'startupProbe')).toBe(503);
  await mkdir(join(dir, 'bucket'));
  await until(loader, 'startupProbe', 200);

  // Before the first training: alive, and not ready.
  const main = start(server);
  await until(server, 'startupProbe', 200);
  await until(server, 'readinessProbe', 503);
  expect(await probe(server, 'livenessProbe')).toBe(200);
  await mkdir(join(dir, 'bucket/linear/1'), { recursive: true });
  await writeFile(join(dir, 'bucket/linear/1/model.onnx'), linearModel());
  await until(server, 'readinessProbe', 200);
  const ask = (): Promise<number> =>
    fetch(`http://127.0.0.1:${ports['http']}/v2/models/linear/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]}]}',
    }).then((response) => response.status);
  expect(await ask()).toBe(200);

  const ended = main.stop();
  await until(server, 'readinessProbe', 503);
  // Taken out by its readiness, and never ended by its liveness; what still comes is answered.
  expect(await probe(server, 'livenessProbe')).toBe(200);
  expect(await ask()).toBe(200);
  expect(await ended).toBe(0);
  expect(await sidecar.stop()).toBe(0);
  expect(main.log() + sidecar.log()).not.toMatch(/is no setting/);
});
