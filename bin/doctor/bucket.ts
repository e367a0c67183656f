import { hasCode } from '../../contract/errors.ts';
import { readIndex } from '../../registry/index-file.ts';
import type { ObjectStore, PutCondition } from '../../registry/object-store.ts';
import { skewFinding } from './clock.ts';
import { type Finding, Findings } from './finding.ts';

export interface BucketCheckOptions {
  /** Try conditional writes on an object of its own, which is removed again. */
  write: boolean;
  now: () => number;
  /** In [0, 1). */
  random: () => number;
  signal: AbortSignal;
}

const OTHER_STORE =
  'Use a store that honours If-None-Match and If-Match on PUT, or a newer release of this one: else two publishers can mix one version.';
const MAY_WRITE =
  'A loader needs no more than to read. A publisher or trainer wants s3:PutObject, s3:GetObject and s3:DeleteObject.';

/** Reading, listing, and if asked the conditional writes that publishing stands on. */
export async function checkBucket(store: ObjectStore, options: BucketCheckOptions): Promise<Finding[]> {
  const found = new Findings('bucket');
  const { signal } = options;
  try {
    const index = await readIndex(store, signal);
    if (index) found.good(`${store.url} answers: ${index.models.length} models, generation ${index.generation}`);
    else
      found.note(
        `${store.url} answers, and has no index`,
        'kedge publish makes one; models that are copied in need none.',
      );
  } catch (error) {
    found.failed(error, 'reading');
    return found.list;
  }
  try {
    let objects = 0;
    for await (const page of store.list('', { signal })) {
      objects = page.length;
      break;
    }
    found.good(objects === 0 ? 'can be listed, and is empty' : 'can be listed');
  } catch (error) {
    found.failed(error, 'listing', 'Grant s3:ListBucket: models that are copied in are found by listing.');
  }
  if (!options.write) {
    found.note('conditional writes were not tried', '--write tries them, on an object that is removed again.');
    return found.list;
  }
  return [...found.list, ...(await checkWrites(store, options))];
}

async function checkWrites(store: ObjectStore, { now, random, signal }: BucketCheckOptions): Promise<Finding[]> {
  const found = new Findings('bucket');
  const key = `kedge-doctor/${Math.floor(random() * 2 ** 48).toString(36)}.txt`;
  const put = (text: string, condition: PutCondition): Promise<{ etag: string }> =>
    store.put(key, Buffer.from(text), condition, { signal });
  /** Bytes differ each time: an answer that was lost must not look like a winner. */
  const refuses = async (text: string, condition: PutCondition): Promise<boolean> => {
    try {
      await put(text, condition);
      return false;
    } catch (error) {
      if (hasCode(error, 'conflict')) return true;
      throw error;
    }
  };
  try {
    const { etag } = await put('first', { create: true });
    const clock = await store.head(key, { signal });
    if (!(await refuses('second', { create: true }))) found.bad('an object was created twice', OTHER_STORE);
    // The etag of what was overwritten, if it was.
    const current = (await store.head(key, { signal }))?.etag ?? etag;
    const { etag: swapped } = await put('third', { ifMatch: current });
    if (!(await refuses('fourth', { ifMatch: current })))
      found.bad('an object was replaced under an outdated condition', OTHER_STORE);
    if (swapped === current) found.bad('other bytes got the same etag', OTHER_STORE);
    if (found.list.length === 0) found.good('writes under conditions have one winner');
    const skew = clock && skewFinding(now() - clock.modifiedAt, store.url);
    return [...found.list, ...(skew ? [skew] : [])];
  } catch (error) {
    found.failed(error, 'writing', MAY_WRITE);
    return found.list;
  } finally {
    await store.delete(key, { signal }).catch((error: unknown) => found.failed(error, `removing ${key}`, MAY_WRITE));
  }
}
