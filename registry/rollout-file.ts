import { rolloutKey } from '../contract/layout.ts';
import { EMPTY_ROLLOUT, type Rollout, rolloutSchema } from '../contract/rollout.ts';
import { parseDocument, readDocument, swapDocument, type WriteOptions } from './documents.ts';
import { updateIndex } from './index-file.ts';
import type { ObjectStore } from './object-store.ts';

/** The rollout of a model; undefined where there is none. @throws KedgeError `document-invalid` */
export async function readRollout(
  store: ObjectStore,
  model: string,
  signal?: AbortSignal,
): Promise<Rollout | undefined> {
  const key = rolloutKey(model);
  const document = await readDocument(store, key, signal);
  return document && parseDocument(`${store.url}/${key}`, document.text, rolloutSchema);
}

/**
 * Changes rollout.json by compare-and-swap, then brings the index in step, so that loaders see it at their next poll. Killed
 * between the two, loaders see it at their next listing, and any later change of the model mends the index.
 * `change` may throw to refuse, and is asked again when another was faster; undefined leaves it as it is.
 */
export async function changeRollout(
  store: ObjectStore,
  model: string,
  options: WriteOptions,
  change: (rollout: Rollout) => Rollout | undefined,
): Promise<Rollout> {
  const key = rolloutKey(model);
  let result: Rollout = EMPTY_ROLLOUT;
  await swapDocument(store, key, options, async (current) => {
    const before = current ? parseDocument(`${store.url}/${key}`, current.text, rolloutSchema) : EMPTY_ROLLOUT;
    const after = change(before);
    result = after ?? before;
    return after && `${JSON.stringify(after, null, 2)}\n`;
  });
  await updateIndex(store, model, options);
  return result;
}
