import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Any, containersOf } from '../manifests/objects.ts';
import type { ControlPlane } from './control-plane.ts';
import { metricValueList, type PodName, podMetricsList, type Rule, type Scrape } from './metrics-lists.ts';

export interface MetricsApi {
  /** Users in whose name the API server passed a question on, and how often for each resource: `USER pods/kedge_concurrency`. */
  asked: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** How a cluster knows it: a Service with a name outside of it. */
const SERVICE = { name: 'metrics-stand-in', namespace: 'default' };
const GROUPS = { custom: 'custom.metrics.k8s.io/v1beta2', resource: 'metrics.k8s.io/v1beta1' };
/** As the PodMonitor of manifests/components/monitoring has it for servers. */
const SCRAPE_MS = 10_000;
const TIMEOUT_MS = 5_000;
const PORTS = ['admin', 'loader'];
/** Longer than any window. */
const KEPT_SECONDS = 120;

/**
 * Stands in for Prometheus with prometheus-adapter and for metrics-server: scrapes the pods of a namespace, and answers the APIs of custom metrics and of
 * resource metrics from what it saw, behind the real aggregation layer of the API server. It takes questions of nobody but that.
 */
export async function startMetricsApi(plane: ControlPlane, rule: Rule, namespace: string): Promise<MetricsApi> {
  const { api, certificates } = plane;
  const scrapes: Scrape[] = [];
  const asked = new Map<string, number>();
  const closing = new AbortController();

  const podsOf = async (at: string, selector = ''): Promise<Any[]> =>
    (await api.get(`/api/v1/namespaces/${at}/pods?labelSelector=${encodeURIComponent(selector)}`)).items;
  const answer = async ({ url, headers }: IncomingMessage): Promise<Any> => {
    const { pathname, searchParams } = new URL(url!, 'https://localhost');
    const [group, version, ...path] = decodeURIComponent(pathname).split('/').slice(2);
    const groupVersion = `${group}/${version}`;
    if (path.length === 0) return resourcesOf(groupVersion, rule);
    const [, at, ...resource] = path;
    const what = resource.join('/');
    const found = groupVersion === GROUPS.custom ? what === `pods/*/${rule.name}` : what === 'pods';
    if (!found) return undefined;
    const asking = `${headers['x-remote-user']} ${what}`;
    asked.set(asking, (asked.get(asking) ?? 0) + 1);
    const pods = await podsOf(at!, searchParams.get('labelSelector') ?? '');
    const names: PodName[] = pods.map(({ metadata }) => ({ name: metadata.name, namespace: metadata.namespace }));
    if (groupVersion === GROUPS.custom) return metricValueList(rule, names, scrapes, Date.now() / 1_000);
    return podMetricsList(names, scrapes);
  };

  const { certificate, key } = certificates.serving(SERVICE.name, [`DNS:${SERVICE.name}.${SERVICE.namespace}.svc`]);
  const tls = {
    cert: readFileSync(certificate),
    key: readFileSync(key),
    ca: readFileSync(certificates.frontProxy.ca),
    requestCert: true,
    rejectUnauthorized: true,
  };
  const server = createServer(tls, (request, response) => {
    const send = (status: number, body: Any): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    answer(request).then(
      (body) => (body === undefined ? send(404, statusOf(404, request.url!)) : send(200, body)),
      (error) => send(500, statusOf(500, String(error))),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  const scrapeAll = async (): Promise<void> => {
    await Promise.all(
      (await podsOf(namespace)).flatMap(targetsOf).map(async ({ pod, container, url }) => {
        const text = await textAt(url);
        if (text !== undefined) scrapes.push({ at: Date.now() / 1_000, pod, container, text });
      }),
    );
    const oldest = Date.now() / 1_000 - KEPT_SECONDS;
    scrapes.splice(
      0,
      scrapes.findIndex(({ at }) => at >= oldest),
    );
  };
  const scraping = (async () => {
    while (!closing.signal.aborted) {
      // An API server that is busy is asked again.
      await Promise.allSettled([scrapeAll(), delay(SCRAPE_MS, undefined, { signal: closing.signal })]);
    }
  })();

  const { port } = server.address() as AddressInfo;
  for (const object of registration(port, certificates.caText)) await plane.kubectl.apply(JSON.stringify(object));
  await plane.kubectl.run([
    'wait',
    '--for=condition=Available',
    '--timeout=60s',
    ...apiServices().map((name) => `apiservice/${name}`),
  ]);
  return {
    asked,
    async close() {
      closing.abort();
      await scraping;
      server.close();
      server.closeAllConnections();
    },
  };
}

/** `v1beta2.custom.metrics.k8s.io` */
const apiServices = (): string[] => Object.values(GROUPS).map((one) => one.split('/').toReversed().join('.'));

/** With what the API server is told to pass questions on to a port of this machine. Loopback addresses may be in no EndpointSlice; a name may be one. */
function registration(port: number, ca: string): Any[] {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: SERVICE,
    spec: { type: 'ExternalName', externalName: 'localhost' },
  };
  const registered = Object.values(GROUPS).map((groupVersion) => {
    const [group, version] = groupVersion.split('/');
    return {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `${version}.${group}` },
      spec: {
        group,
        version,
        service: { ...SERVICE, port },
        caBundle: Buffer.from(ca).toString('base64'),
        groupPriorityMinimum: 100,
        versionPriority: 100,
      },
    };
  });
  return [service, ...registered];
}

/** What discovery is answered. */
function resourcesOf(groupVersion: string, { name }: Rule): Any {
  const resource = { singularName: '', namespaced: true };
  const resources: Record<string, Any> = {
    [GROUPS.custom]: { ...resource, name: `pods/${name}`, kind: 'MetricValueList', verbs: ['get'] },
    [GROUPS.resource]: { ...resource, name: 'pods', kind: 'PodMetrics', verbs: ['get', 'list'] },
  };
  if (!resources[groupVersion]) return undefined;
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: [resources[groupVersion]] };
}

/** Containers of a pod that tell of themselves. */
function targetsOf({ metadata, spec, status }: Any): { pod: string; container: string; url: string }[] {
  if (status.phase !== 'Running' || !status.podIP) return [];
  return containersOf(spec).flatMap(({ name, ports = [] }) =>
    ports
      .filter((port: Any) => PORTS.includes(port.name))
      .map(({ containerPort }: Any) => ({
        pod: metadata.name,
        container: name,
        url: `http://${status.podIP}:${containerPort}/metrics`,
      })),
  );
}

/** Undefined where nobody answers, or not with metrics. */
async function textAt(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = await response.text();
    return response.ok ? text : undefined;
  } catch {
    return undefined;
  }
}

function statusOf(code: number, message: string): Any {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message };
}
