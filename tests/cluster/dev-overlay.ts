import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stringify } from 'yaml';
import { openStore } from '../../registry/open-store.ts';
import { linearModel } from '../e2e/models.ts';
import { type Any, documents, MANIFESTS, renderText } from '../manifests/objects.ts';
import type { Kubectl } from './kubectl.ts';

export const DEV = join(MANIFESTS, 'overlays/dev');
export const DEV_NAMESPACE = 'kedge-dev';

/** What `kubectl apply -k` of the overlay would send. */
export const devObjects = (): Any[] => documents(renderText(DEV));

/** The same of an overlay over it. @param more of its kustomization, beside these components of ours */
export function devObjectsWith(components: readonly string[], more: Any): Any[] {
  const folder = mkdtempSync(join(tmpdir(), 'kedge-kustomize-'));
  const path = (to: string): string => relative(folder, to);
  const content = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: DEV_NAMESPACE,
    resources: [path(DEV)],
    components: components.map((name) => path(join(MANIFESTS, 'components', name))),
    ...more,
  };
  try {
    writeFileSync(join(folder, 'kustomization.yaml'), stringify(content));
    return documents(renderText(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of these, what it takes to serve: without trainings and their stores. */
export const servingOf = (objects: readonly Any[]): Any[] =>
  objects.filter(({ kind, metadata }) => !['Job', 'CronJob'].includes(kind) && !/postgres|redis/.test(metadata.name));

/** As kubectl reads it, to whom `Off` without quotes is no text. */
export const asText = (objects: readonly Any[]): string =>
  objects.map((object) => stringify(object, { version: '1.1' })).join('---\n');

export const named = (objects: readonly Any[], kind: string, name: string): Any => {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
};

/** Drops a first version of the model `linear` into the bucket of the overlay, which must be up. */
export async function publishLinear(kubectl: Kubectl, weight: number): Promise<void> {
  const service = await kubectl.get('-n', DEV_NAMESPACE, 'service', 'kedge-s3');
  const { data } = devObjects().find(({ kind, metadata }) => kind === 'Secret' && /^kedge-s3-/.test(metadata.name));
  const decode = (name: string): string => Buffer.from(data[name], 'base64').toString();
  const store = openStore('s3://models', {
    s3: {
      endpoint: `http://${service.spec.clusterIP}:7070`,
      fallbackRegion: 'us-east-1',
      credentials: { accessKeyId: decode('AWS_ACCESS_KEY_ID'), secretAccessKey: decode('AWS_SECRET_ACCESS_KEY') },
    },
  });
  await store.put('linear/1/model.onnx', linearModel({ weight }), {});
  store.close();
}
