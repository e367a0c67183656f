import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Any } from '../../manifests/objects.ts';
import { type Api, ApiError, type Event } from '../api.ts';
import type { ControlPlane } from '../control-plane.ts';
import type { References } from './environment.ts';
import { type Image, makeImages } from './images.ts';
import { Network, type PodNetwork } from './network.ts';
import { Pod } from './pod.ts';
import { Services } from './services.ts';
import { type Since, statusOf } from './status.ts';

interface Running {
  object: Any;
  pod: Pod | undefined;
  network: Promise<PodNetwork>;
  since: Since;
  startTime: string;
  over: boolean;
  /** A report waits for the one that is under way. */
  again: boolean;
  reporting: boolean;
  deleting: boolean;
}

/** Two, so that one can be drained. */
const NODES = ['stand-in-a', 'stand-in-b'];
/** How often what a container waits for is looked for. */
const RETRY_MS = 500;

/**
 * Stands in for the scheduler and for the kubelets of two nodes: runs the containers of every pod of the cluster as processes of this machine, each pod
 * in a network namespace of its own. Images are not fetched: `makeImages`. Limits are not enforced, and what is not of our manifests is not known.
 */
export class Node {
  readonly #api: Api;
  readonly #folder: string;
  readonly #logs: string;
  readonly #images: ReadonlyMap<string, Image>;
  readonly #network = new Network();
  readonly #services: Services;
  readonly #running = new Map<string, Running>();
  readonly #work = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #errors: unknown[] = [];
  /** Names of those that take pods. */
  readonly #schedulable = new Set<string>();

  private constructor({ api, folder }: ControlPlane) {
    this.#api = api;
    this.#folder = mkdtempSync(join(folder, 'node-'));
    this.#logs = join(folder, 'logs');
    this.#images = makeImages(this.#folder);
    this.#services = new Services(api, this.#network, join(this.#folder, 'etc'));
  }

  static async start(plane: ControlPlane): Promise<Node> {
    const node = new Node(plane);
    try {
      for (const name of NODES) await node.#register(name);
    } catch (error) {
      await node.close();
      throw error;
    }
    const { signal } = node.#closing;
    node.#follow(plane.api.watch('/api/v1/nodes', (event) => node.#seeNode(event), signal));
    node.#follow(node.#services.follow(signal));
    node.#follow(plane.api.watch('/api/v1/pods', (event) => node.#see(event), signal));
    return node;
  }

  get services(): Services {
    return this.#services;
  }

  /** Where containers write: `POD.CONTAINER.log`. */
  get logs(): string {
    return this.#logs;
  }

  /** Ends all processes, hard. @throws what went wrong in this node itself */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#running.values()].map(({ pod }) => pod?.end(0)));
    await Promise.allSettled(this.#work);
    this.#services.close();
    this.#network.close();
    rmSync(this.#folder, { recursive: true, force: true });
    if (this.#errors.length > 0) throw new AggregateError(this.#errors, 'the stand-in for a node failed');
  }

  async #register(name: string): Promise<void> {
    this.#schedulable.add(name);
    await this.#api.post('/api/v1/nodes', {
      metadata: { name, labels: { 'kubernetes.io/hostname': name } },
    });
    const room = { cpu: '64', memory: '256Gi', 'ephemeral-storage': '512Gi', pods: '500' };
    const conditions = [
      { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now(), lastTransitionTime: now() },
    ];
    await this.#api.patch(`/api/v1/nodes/${name}/status`, {
      status: { capacity: room, allocatable: room, conditions },
    });
  }

  #follow(work: Promise<void>): void {
    const guarded = work
      .catch((error) => {
        // Gone meanwhile, or changed: the next event tells.
        if (!(error instanceof ApiError && [404, 409].includes(error.status)) && !this.#closing.signal.aborted)
          this.#errors.push(error);
      })
      .finally(() => this.#work.delete(guarded));
    this.#work.add(guarded);
  }

  #see({ type, object }: Event): void {
    const { uid, deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata;
    const known = this.#running.get(uid);
    if (known) known.object = object;
    if (known && (deletionTimestamp || type === 'DELETED')) {
      if (known.deleting) return;
      known.deleting = true;
      this.#follow(this.#remove(known, deletionGracePeriodSeconds));
    } else if (!known && type !== 'DELETED' && !['Succeeded', 'Failed'].includes(object.status.phase)) {
      if (!object.spec.nodeName) this.#follow(this.#bind(object));
      else if (deletionTimestamp) this.#follow(this.#confirm(object));
      else this.#follow(this.#start(object));
    }
  }

  #seeNode({ type, object: { metadata, spec } }: Event): void {
    if (type === 'DELETED' || spec.unschedulable) this.#schedulable.delete(metadata.name);
    else this.#schedulable.add(metadata.name);
  }

  /** To that which has the fewest pods. With none it waits for the next that is said of the pod. */
  async #bind({ metadata: { namespace, name } }: Any): Promise<void> {
    const pods = [...this.#running.values()];
    const count = (node: string): number => pods.filter(({ object }) => object.spec.nodeName === node).length;
    const [chosen] = [...this.#schedulable].sort((a, b) => count(a) - count(b));
    if (chosen === undefined) return;
    const target = { apiVersion: 'v1', kind: 'Node', name: chosen };
    await this.#api.post(`/api/v1/namespaces/${namespace}/pods/${name}/binding`, { metadata: { name }, target });
  }

  async #start(object: Any): Promise<void> {
    const { uid, namespace } = object.metadata;
    const one: Running = {
      object,
      pod: undefined,
      network: this.#network.addPod(),
      since: new Map(),
      startTime: now(),
      over: false,
      again: false,
      reporting: false,
      deleting: false,
    };
    this.#running.set(uid, one);
    const folder = join(this.#folder, uid);
    mkdirSync(folder);
    const network = await one.network;
    while (!one.pod && !one.deleting && !this.#closing.signal.aborted) {
      const place = {
        network,
        images: this.#images,
        references: await this.#references(namespace),
        folder,
        claims: join(this.#folder, 'claims', namespace),
        etc: this.#services.etc(namespace),
        logs: this.#logs,
      };
      try {
        one.pod = new Pod({ ...object, status: { podIP: network.ip } }, place, () => this.#report(one));
      } catch (error) {
        await this.#patchStatus(one, { phase: 'Pending', message: String(error) });
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    if (!one.pod) return;
    await one.pod.run();
    one.over = true;
    this.#report(one);
  }

  async #remove(one: Running, graceSeconds: number): Promise<void> {
    await one.pod?.end(graceSeconds);
    await this.#lastReport(one);
    this.#running.delete(one.object.metadata.uid);
    await this.#network.removePod(await one.network);
    rmSync(join(this.#folder, one.object.metadata.uid), { recursive: true, force: true });
    await this.#confirm(one.object);
  }

  /** All of it is gone: the object may go. */
  async #confirm({ metadata: { namespace, name, uid } }: Any): Promise<void> {
    const options = { gracePeriodSeconds: 0, preconditions: { uid } };
    await this.#api.delete(`/api/v1/namespaces/${namespace}/pods/${name}`, options);
  }

  #report(one: Running): void {
    one.again = true;
    if (one.reporting) return;
    one.reporting = true;
    this.#follow(this.#reportAll(one));
  }

  async #reportAll(one: Running): Promise<void> {
    try {
      while (one.again) {
        one.again = false;
        const containers = one.pod?.containers.map(({ view }) => view) ?? [];
        const { over, since, startTime } = one;
        const status = statusOf(containers, { over, since, startTime, now: now(), podIP: (await one.network).ip });
        await this.#patchStatus(one, status);
      }
    } finally {
      one.reporting = false;
    }
  }

  async #lastReport(one: Running): Promise<void> {
    one.over = true;
    this.#report(one);
    while (one.reporting) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  async #patchStatus({ object }: Running, status: Any): Promise<void> {
    const { namespace, name, uid } = object.metadata;
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`;
    await this.#api.patch(path, { metadata: { uid }, status }, 'strategic-merge-patch+json');
  }

  async #references(namespace: string): Promise<References> {
    const list = async (kind: string): Promise<Any[]> =>
      (await this.#api.get(`/api/v1/namespaces/${namespace}/${kind}`)).items;
    const plain = (data: Any = {}): Any => data;
    const decoded = (data: Any = {}): Any =>
      Object.fromEntries(
        Object.entries<string>(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
      );
    const [configMaps, secrets] = [await list('configmaps'), await list('secrets')];
    return {
      configMaps: new Map(configMaps.map(({ metadata, data }) => [metadata.name, plain(data)])),
      secrets: new Map(secrets.map(({ metadata, data }) => [metadata.name, decoded(data)])),
    };
  }
}

/** As the API has times. */
function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
