import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Any } from '../../manifests/objects.ts';
import type { Api, Event } from '../api.ts';
import type { Network } from './network.ts';

export interface Endpoint {
  ip: string;
  port: number;
}

/**
 * Stands in for kube-proxy and for the cluster's names. Every Service has its cluster IP on the bridge, and a connection to one of its ports goes on to a
 * ready endpoint, in turn, as the real endpointslice controller lists them; with none it is reset. Names are in /etc/hosts of the pods.
 */
export class Services {
  readonly #api: Api;
  readonly #network: Network;
  readonly #etc: string;
  readonly #services = new Map<string, Any>();
  readonly #slices = new Map<string, Any>();
  readonly #listening = new Map<string, Server[]>();
  #turn = 0;

  /** @param etc folder for what pods have as /etc */
  constructor(api: Api, network: Network, etc: string) {
    this.#api = api;
    this.#network = network;
    this.#etc = etc;
  }

  async follow(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#api.watch('/api/v1/services', (event) => this.#seeService(event), signal),
      this.#api.watch('/apis/discovery.k8s.io/v1/endpointslices', (event) => keep(this.#slices, event), signal),
    ]);
  }

  /** Ready ones of a port, named or not. */
  endpoints(namespace: string, service: string, portName?: string): Endpoint[] {
    const slices = [...this.#slices.values()].filter(
      ({ metadata }) => metadata.namespace === namespace && metadata.labels['kubernetes.io/service-name'] === service,
    );
    return slices.flatMap(({ ports, endpoints }) => {
      const port = (ports ?? []).find(({ name }: Any) => (name ?? '') === (portName ?? ''))?.port;
      const ready = (endpoints ?? []).filter(({ conditions }: Any) => conditions.ready);
      return port === undefined ? [] : ready.map(({ addresses }: Any) => ({ ip: addresses[0], port }));
    });
  }

  /** The folder that pods of a namespace have as /etc; what changes in it they see. */
  etc(namespace: string): string {
    const folder = join(this.#etc, namespace);
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'passwd'),
      'root:x:0:0::/:/bin/sh\npostgres:x:70:70::/:/bin/sh\nkedge:x:10001:10001::/tmp:/bin/sh\n',
    );
    writeFileSync(join(folder, 'group'), 'root:x:0:\npostgres:x:70:\nkedge:x:10001:\n');
    writeFileSync(join(folder, 'nsswitch.conf'), 'hosts: files\n');
    this.#writeHosts(namespace);
    return folder;
  }

  close(): void {
    for (const servers of this.#listening.values()) for (const server of servers) server.close();
  }

  #seeService(event: Event): void {
    const { object, type } = event;
    const { uid, namespace, name } = object.metadata;
    // That of the API server itself, which listens elsewhere.
    if (namespace === 'default' || !object.spec.clusterIP || object.spec.clusterIP === 'None') return;
    keep(this.#services, event);
    if (type === 'DELETED') for (const server of this.#listening.get(uid) ?? []) server.close();
    else if (!this.#listening.has(uid)) {
      this.#network.addService(object.spec.clusterIP);
      const listen = (port: Any): Server => this.#listen(object.spec.clusterIP, port, namespace, name);
      this.#listening.set(uid, object.spec.ports.map(listen));
    }
    this.etc(namespace);
  }

  #listen(ip: string, { port, name: portName }: Any, namespace: string, service: string): Server {
    const server = createServer({ allowHalfOpen: true }, (from) => {
      const endpoints = this.endpoints(namespace, service, portName);
      const chosen = endpoints[this.#turn++ % endpoints.length];
      if (!chosen) return from.resetAndDestroy();
      const to = connect({ host: chosen.ip, port: chosen.port, allowHalfOpen: true });
      from.on('error', () => to.destroy()).pipe(to);
      to.on('error', () => from.resetAndDestroy()).pipe(from);
    });
    return server.listen(port, ip);
  }

  /** By rename: whoever reads it meanwhile finds the one or the other. */
  #writeHosts(namespace: string): void {
    const own = [...this.#services.values()].filter(({ metadata }) => metadata.namespace === namespace);
    const lines = own.map(({ spec, metadata: { name } }) => `${spec.clusterIP} ${name} ${name}.${namespace}.svc`);
    const path = join(this.#etc, namespace, 'hosts');
    writeFileSync(`${path}.new`, ['127.0.0.1 localhost', ...lines, ''].join('\n'));
    renameSync(`${path}.new`, path);
  }
}

function keep(objects: Map<string, Any>, { type, object }: Event): void {
  if (type === 'DELETED') objects.delete(object.metadata.uid);
  else objects.set(object.metadata.uid, object);
}
