import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { KedgeError, messageOf } from '../../../contract/errors.ts';
import { stop } from '../../processes.ts';

/** Where a cluster is, as kubectl is told. */
export interface Where {
  /** Of the kubeconfig; its current one if absent. */
  context?: string | undefined;
  namespace: string;
}

/** The way to the API server of a cluster. */
export interface ClusterAccess {
  /** Autoscalers, Deployments and pods of the namespace, as `{ items }` of which each has its kind. @throws KedgeError `config-invalid` where it cannot be told */
  objects(): Promise<unknown>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 20_000;
const SERVING = /^Starting to serve on (\S+)/;

/**
 * Opens the way by `kubectl proxy`, which knows every kind of credentials, and is started once: a kubectl for each look would take more of the machine than the load.
 * @throws KedgeError `config-invalid` where kubectl is not there or does not serve
 */
export async function openCluster(where: Where): Promise<ClusterAccess> {
  const { context, namespace } = where;
  const words = ['proxy', '--port=0', '--address=127.0.0.1', ...(context === undefined ? [] : ['--context', context])];
  const child = spawn('kubectl', words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const address = await new Promise<string>((resolve, reject) => {
    const refuse = (why: string): void => reject(invalid(`kubectl proxy does not serve: ${why}`));
    child.once('error', (error) =>
      refuse('code' in error && error.code === 'ENOENT' ? 'there is no kubectl' : error.message),
    );
    child.once('exit', (code) => refuse(complaint.trim() || `it ended with ${code}`));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = SERVING.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  return { objects: () => objectsAt(`http://${address}`, namespace), close: () => stop(child, 'SIGTERM') };
}

/** By the API alone. @param url of the API server, or of a proxy to it. @throws KedgeError `config-invalid` */
export async function objectsAt(url: string, namespace: string): Promise<{ items: object[] }> {
  const listed = await Promise.all(
    [
      ['HorizontalPodAutoscaler', `apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`],
      ['Deployment', `apis/apps/v1/namespaces/${namespace}/deployments`],
      ['Pod', `api/v1/namespaces/${namespace}/pods`],
    ].map(async ([kind, path]) => {
      const { items } = (await get(`${url}/${path}`)) as { items: object[] };
      // Items of a list do not say of what kind they are.
      return items.map((item) => ({ ...item, kind }));
    }),
  );
  return { items: listed.flat() };
}

async function get(url: string): Promise<unknown> {
  let why: string;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = await response.text();
    if (response.ok) return JSON.parse(text);
    why = `status ${response.status}: ${text.slice(0, 300)}`;
  } catch (error) {
    why = messageOf(error);
  }
  throw invalid(`The cluster does not tell of ${new URL(url).pathname}: ${why}`);
}

function invalid(message: string): KedgeError {
  return new KedgeError('config-invalid', message);
}
