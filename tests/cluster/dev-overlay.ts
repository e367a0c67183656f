import { join } from 'node:path';
import { stringify } from 'yaml';
import { type Any, documents, MANIFESTS, renderText } from '../manifests/objects.ts';

export const DEV = join(MANIFESTS, 'overlays/dev');
export const DEV_NAMESPACE = 'kedge-dev';

/** What `kubectl apply -k` of the overlay would send. */
export const devObjects = (): Any[] => documents(renderText(DEV));

/** As kubectl reads it, to whom `Off` without quotes is no text. */
export const asText = (objects: readonly Any[]): string =>
  objects.map((object) => stringify(object, { version: '1.1' })).join('---\n');

export const named = (objects: readonly Any[], kind: string, name: string): Any => {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
};
