import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { linearAnswer, linearRequest } from '../e2e/models.ts';
import { eventually } from '../e2e/programs.ts';
import type { Any } from '../manifests/objects.ts';
import { type Balancer, startBalancer } from './balancer.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { asText, DEV_NAMESPACE, devObjects, named, publishLinear, servingOf } from './dev-overlay.ts';
import { missingForPods, titled } from './machine.ts';
import { Node } from './node/node.ts';
import { disturbances, loadDuring } from './steady-load.ts';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 600_000 });

const REPLICAS = 3;
const WEIGHT = 2;
const REQUEST = JSON.stringify(linearRequest);
/** Low: this is about what is lost, and the machine has other things to do meanwhile. */
const PER_SECOND = 60;

/** The Deployment of the base, its loader as a sidecar, on the real controllers; pods are real processes on a stand-in node. */
describe.skipIf(missingForPods)(titled('a rolling update under load', missingForPods), () => {
  let plane: ControlPlane;
  let node: Node;
  let balancer: Balancer;
  /** The last that was seen of each pod. */
  const pods = new Map<string, Any>();
  const watching = new AbortController();
  const kubectl = (...words: string[]): Promise<unknown> => plane.kubectl.run(['-n', DEV_NAMESPACE, ...words]);

  beforeAll(async () => {
    plane = await startControlPlane();
    node = await Node.start(plane);
    const note = ({ object }: { object: Any }): void => void pods.set(object.metadata.name, object);
    void plane.api.watch(`/api/v1/namespaces/${DEV_NAMESPACE}/pods`, note, watching.signal);
    const objects = servingOf(devObjects());
    // No metrics are served: the autoscaler brings the number up to this, and leaves it there.
    named(objects, 'HorizontalPodAutoscaler', 'kedge').spec.minReplicas = REPLICAS;
    await plane.kubectl.apply(asText(objects));
    await kubectl('rollout', 'status', 'deploy/kedge-s3', '--timeout=300s');
    await publishLinear(plane.kubectl, WEIGHT);
    await eventually(async () => endpoints().length === REPLICAS, `${REPLICAS} ready servers`, 300_000);
    balancer = await startBalancer(endpoints);
  });
  afterAll(async () => {
    watching.abort();
    balancer?.close();
    await node?.close();
    await plane?.stop();
  });

  const endpoints = () => node.services.endpoints(DEV_NAMESPACE, 'kedge', 'http');
  const servers = (): Any[] =>
    [...pods.values()].filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === 'server');

  /** Loads the Service while something is done to it. No request may be lost, refused, or answered wrongly. */
  async function undisturbed(what: string, during: () => Promise<void>): Promise<void> {
    let seconds = 0;
    const load = await loadDuring(
      { port: balancer.port, path: '/v2/models/linear/infer', body: REQUEST, connections: 200, perSecond: PER_SECOND },
      async () => {
        const begun = performance.now();
        await during();
        seconds = (performance.now() - begun) / 1_000;
      },
    );
    console.log(
      `${what} in ${seconds.toFixed(0)} s: ${load.scheduled} requests in ${load.seconds.toFixed(0)} s, ${load.good} good, ${load.refused} refused, ` +
        `${load.failed} failed (${load.unanswered} never answered), ${load.dropped} not sent, p99 ${load.p99.toFixed(0)} ms; by pod ${[...balancer.shares.values()].join(', ')}`,
    );
    expect(balancer.failures).toEqual([]);
    expect(disturbances(load)).toEqual([]);
    const wrong = [...load.answers.keys()].filter((body) => {
      const { outputs, model_version } = JSON.parse(body);
      return outputs?.[0]?.data?.[0] !== linearAnswer(WEIGHT) || model_version !== '1';
    });
    expect(wrong).toEqual([]);
    expect([...load.answers.values()].reduce((sum, count) => sum + count, 0)).toBe(load.good);
  }

  const present = (): Any[] => servers().filter(({ metadata }) => !metadata.deletionTimestamp);
  const gone = (): Any[] => servers().filter(({ metadata }) => metadata.deletionTimestamp);
  /** That all of these are on their way out, and as many others ready. */
  const replaced = (old: readonly Any[]): Promise<unknown> => {
    const names = new Set(old.map(({ metadata }) => metadata.name));
    const stays = (): boolean => present().some(({ metadata }) => names.has(metadata.name));
    return eventually(async () => !stays() && endpoints().length === REPLICAS, 'new pods alone', 300_000);
  };

  it('a rolling update replaces every pod', async () => {
    const old = present();
    expect(old).toHaveLength(REPLICAS);
    await undisturbed(`${REPLICAS} pods replaced`, async () => {
      await kubectl('rollout', 'restart', 'deploy/kedge');
      await kubectl('rollout', 'status', 'deploy/kedge', '--timeout=600s');
      await replaced(old);
    });
    // All of them, old and new, had a part in it.
    expect(balancer.shares.size).toBe(2 * REPLICAS);
  });

  it('a node is drained, one pod at a time', async () => {
    const [{ spec }] = present() as [Any];
    const old = present().filter((pod) => pod.spec.nodeName === spec.nodeName);
    const fewest = { ready: REPLICAS };
    const watch = setInterval(() => {
      fewest.ready = Math.min(fewest.ready, endpoints().length);
    }, 20);
    try {
      await undisturbed(`A node with ${old.length} of the pods drained`, async () => {
        const servers = '--pod-selector=app.kubernetes.io/component=server';
        await kubectl('drain', spec.nodeName, servers, '--delete-emptydir-data', '--timeout=600s');
        await replaced(old);
      });
    } finally {
      clearInterval(watch);
    }
    expect(fewest.ready).toBe(REPLICAS - 1);
  });

  it('all servers and loaders that went left by themselves, with 0', async () => {
    const codes = ({ status }: Any): unknown[] =>
      [...status.containerStatuses, ...status.initContainerStatuses].map(({ name, state, restartCount }: Any) => [
        name,
        state.terminated?.exitCode,
        restartCount,
      ]);
    expect(gone().length).toBeGreaterThan(REPLICAS);
    expect(gone().map(codes)).toEqual(
      gone().map(() => [
        ['server', 0, 0],
        ['loader', 0, 0],
      ]),
    );
  });
});
