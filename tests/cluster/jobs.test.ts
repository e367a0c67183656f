import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventually } from '../e2e/programs.ts';
import { type Any, documents, renderComponents } from '../manifests/objects.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { asText, DEV, DEV_NAMESPACE, devObjects, named } from './dev-overlay.ts';
import { missingForPods, titled } from './machine.ts';
import { Node } from './node/node.ts';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 300_000 });

/**
 * The overlay for a laptop, with the commands of docs/kubernetes.md, on the real Job, CronJob and Deployment controllers; its pods, stores included, are
 * real processes on a stand-in node. Each test goes on from the one before, as a day of operation does.
 */
describe.skipIf(missingForPods)(titled('Jobs to their end', missingForPods), () => {
  let plane: ControlPlane;
  let node: Node;
  beforeAll(async () => {
    plane = await startControlPlane();
    node = await Node.start(plane);
  });
  afterAll(async () => {
    await node?.close();
    await plane?.stop();
  });

  const kubectl = async (...words: string[]): Promise<string> =>
    (await plane.kubectl.run(['-n', DEV_NAMESPACE, ...words])).out;
  const get = (...words: string[]): Promise<Any> => plane.kubectl.get('-n', DEV_NAMESPACE, ...words);
  const apply = (...objects: Any[]): Promise<unknown> => plane.kubectl.apply(asText(objects));
  /** @throws as soon as it failed, with what its pods wrote last */
  async function complete(name: string): Promise<void> {
    const over = async (): Promise<Any> =>
      (await get('job', name)).status.conditions?.find(
        ({ type, status }: Any) => ['Complete', 'Failed'].includes(type) && status === 'True',
      );
    const { type, message } = await eventually(over, `the end of ${name}`, 600_000);
    if (type === 'Complete') return;
    const logs = (await podsOf(name)).map((pod) => log(pod, 'trainer').slice(-500));
    throw new Error(`${name}: ${message}\n${logs.join('\n')}`);
  }
  const podsOf = async (job: string): Promise<Any[]> =>
    (await get('pods', '-l', `batch.kubernetes.io/job-name=${job}`)).items;
  const log = (pod: Any, container: string): string =>
    readFileSync(join(node.logs, `${pod.metadata.name}.${container}.log`), 'utf8');

  /** How each pod of a Job ended: the exit code of every container that did. */
  const exits = async (job: string): Promise<Record<string, number>[]> =>
    (await podsOf(job)).map(({ status }) =>
      Object.fromEntries(
        [...(status.initContainerStatuses ?? []), ...status.containerStatuses].flatMap(({ name, state }: Any) =>
          state.terminated ? [[name, state.terminated.exitCode]] : [],
        ),
      ),
    );

  /** The Job of the overlay as another: its names, references and security are those of the manifests. */
  function job(name: string, change: (pod: Any, spec: Any) => void): Any {
    const made = structuredClone(named(devObjects(), 'Job', 'kedge-train-ensure'));
    made.metadata = { name, namespace: DEV_NAMESPACE };
    const pod = made.spec.template.spec;
    pod.initContainers = pod.initContainers.filter(() => false);
    change(pod, made.spec);
    return made;
  }

  /** More zones in the history: models that are missing then. */
  async function fill(zones: number): Promise<void> {
    const name = `fill-${zones}`;
    const [history] = named(devObjects(), 'Job', 'kedge-train-ensure').spec.template.spec.initContainers;
    await apply(
      job(name, (pod) => {
        pod.containers = [
          {
            ...history,
            name: 'trainer',
            args: [...history.args.with(history.args.indexOf('--zones') + 1, String(zones)), '--replace'],
          },
        ];
      }),
    );
    await complete(name);
  }

  /** What the Service of the overlay answers. */
  async function modelsReady(): Promise<string[]> {
    const { spec } = await get('service', 'kedge');
    const response = await fetch(`http://${spec.clusterIP}/v2/repository/index`, { method: 'POST', body: '{}' });
    const index = (await response.json()) as { name: string; state: string }[];
    return index.filter(({ state }) => state === 'READY').map(({ name }) => name);
  }

  it('the first day: one command, a training, a server that is ready with what was trained', async () => {
    const begun = performance.now();
    await plane.kubectl.run(['apply', '-k', DEV]);
    await complete('kedge-train-ensure');
    const trained = performance.now();
    expect(await exits('kedge-train-ensure')).toContainEqual({ history: 0, trainer: 0 });
    await kubectl('rollout', 'status', 'deploy/kedge', '--timeout=5m');
    expect(await modelsReady()).toHaveLength(4);
    const seconds = (from: number, to = performance.now()): string => ((to - from) / 1_000).toFixed(0);
    console.log(`trained after ${seconds(begun, trained)} s, served after ${seconds(begun)} s`);
  });

  it('the Job of the next release has nothing to train', async () => {
    await kubectl('delete', 'job', 'kedge-train-ensure', '--ignore-not-found');
    await plane.kubectl.run(['apply', '-k', DEV]);
    await complete('kedge-train-ensure');
    const [pod, ...others] = await podsOf('kedge-train-ensure');
    expect(others).toEqual([]);
    expect(log(pod, 'trainer')).toContain('There is nothing to train.');
  });

  it('the CronJob trains what is missing, once its time has come', async () => {
    await fill(5);
    await kubectl('patch', 'cronjob', 'kedge-train', '-p', '{"spec":{"schedule":"* * * * *"}}');
    const started = async (): Promise<Any> =>
      (await get('jobs')).items.find(({ metadata }: Any) => metadata.ownerReferences?.[0]?.kind === 'CronJob');
    const { metadata } = await eventually(started, 'a Job of the CronJob', 150_000);
    await kubectl('patch', 'cronjob', 'kedge-train', '-p', '{"spec":{"suspend":true}}');
    await complete(metadata.name);
    expect(await exits(metadata.name)).toEqual([{ trainer: 0 }]);
    await eventually(async () => (await modelsReady()).length === 5, 'the fifth model, served', 120_000);
    // By hand, as docs/kubernetes.md has it: everything is fresh now.
    await kubectl('create', 'job', 'by-hand', '--from=cronjob/kedge-train');
    await complete('by-hand');
    expect(log((await podsOf('by-hand'))[0], 'trainer')).toContain('There is nothing to train.');
  });

  it('master, workers and finish share a training', async () => {
    await fill(8);
    const distributed = documents(renderComponents(['training', 'train-distributed'])).filter(
      ({ kind }) => kind === 'Job',
    );
    // Over the settings and Secrets of the overlay.
    const { envFrom } = named(devObjects(), 'Job', 'kedge-train-ensure').spec.template.spec.containers[0];
    for (const one of distributed) {
      one.metadata.namespace = DEV_NAMESPACE;
      one.spec.template.spec.containers[0].envFrom = envFrom;
    }
    // As it stands it asks for what the bucket knows of; with an age it looks at the history, where the new zones are.
    named(distributed, 'Job', 'kedge-train-master').spec.template.spec.containers[0].args.push('--stale', '20h');
    const applied = async (name: string): Promise<void> => void (await apply(named(distributed, 'Job', name)));
    await applied('kedge-train-master');
    await complete('kedge-train-master');
    expect(log((await podsOf('kedge-train-master'))[0], 'trainer')).toMatch(/3 models to train/);
    // Nobody has to wait for the workers: finish does.
    await applied('kedge-train-workers');
    await applied('kedge-train-finish');
    await complete('kedge-train-workers');
    await complete('kedge-train-finish');
    const workers = await podsOf('kedge-train-workers');
    expect(workers).toHaveLength(named(distributed, 'Job', 'kedge-train-workers').spec.parallelism);
    expect(await exits('kedge-train-workers')).toEqual(workers.map(() => ({ trainer: 0 })));
    const done = workers.map((pod) => Number(/: (\d+) tasks? done here/.exec(log(pod, 'trainer'))?.[1] ?? 0));
    expect(done.reduce((sum, count) => sum + count)).toBe(3);
    await eventually(async () => (await modelsReady()).length === 8, 'all eight models, served', 120_000);
  });

  describe('what fails', () => {
    const condition = async (name: string): Promise<Any> => {
      const failed = async (): Promise<Any> =>
        (await get('job', name)).status.conditions?.find(
          ({ type, status }: Any) => type === 'Failed' && status === 'True',
        );
      return eventually(failed, `${name} failed`, 300_000);
    };

    it.each<[string, number, Record<string, string>]>([
      ['settings', 2, { KEDGE_BUCKET: 'nonsense' }],
      ['tasks that failed for good', 42, { TMPDIR: '/nowhere' }],
    ])('by %s, with %i, is not tried again', async (_, code, env) => {
      const name = `fails-with-${code}`;
      await apply(
        job(name, (pod) => {
          const [trainer] = pod.containers;
          trainer.env = Object.entries(env).map(([variable, value]) => ({ name: variable, value }));
          // Something to do, whatever there is.
          trainer.args = ['train', '--all'];
        }),
      );
      expect(await condition(name)).toMatchObject({
        reason: 'PodFailurePolicy',
        message: expect.stringContaining(`exit code ${code}`),
      });
      expect(await exits(name)).toEqual([{ trainer: code }]);
    });

    it('because a store is away, is tried again until it is there', async () => {
      await kubectl('scale', 'deploy/kedge-postgres', '--replicas=0');
      await kubectl('wait', '--for=delete', 'pod', '-l', 'app.kubernetes.io/name=kedge-postgres', '--timeout=2m');
      await apply(
        job('waits', (pod) => (pod.containers[0].args = ['history', 'fill', '--zones', '1', '--days', '10'])),
      );
      await eventually(async () => (await get('job', 'waits')).status.failed >= 1, 'a first try that failed', 120_000);
      expect((await exits('waits'))[0]).toEqual({ trainer: 3 });
      await kubectl('scale', 'deploy/kedge-postgres', '--replicas=1');
      await complete('waits');
    });
  });
});
