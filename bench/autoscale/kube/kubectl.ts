import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { KedgeError, messageOf } from '../../../contract/errors.ts';

/** Where a cluster is, as kubectl is told. */
export interface Where {
  /** Of the kubeconfig; its current one if absent. */
  context?: string | undefined;
  namespace: string;
}

const KINDS = 'horizontalpodautoscalers.v2.autoscaling,deployments.apps,pods';
const MAX_BYTES = 2 ** 28;
const TIMEOUT_MS = 20_000;

/** Autoscalers, Deployments and pods of a namespace, as kubectl gives them. @throws KedgeError `config-invalid` where it cannot */
export async function getObjects({ context, namespace }: Where): Promise<unknown> {
  const words = [...(context === undefined ? [] : ['--context', context]), '--namespace', namespace];
  try {
    const { stdout } = await promisify(execFile)('kubectl', [...words, 'get', KINDS, '--output', 'json'], {
      maxBuffer: MAX_BYTES,
      timeout: TIMEOUT_MS,
    });
    return JSON.parse(stdout) as unknown;
  } catch (error) {
    const { stderr, code } = error as { stderr?: string; code?: unknown };
    const why = code === 'ENOENT' ? 'it is not in the PATH' : stderr?.trim() || messageOf(error);
    throw new KedgeError('config-invalid', `kubectl does not tell of namespace ${namespace}: ${why}`, { cause: error });
  }
}
