import { dirname, join } from 'node:path';
import pLimit from 'p-limit';
import type { ViewFile } from '../../loader/bucket-view.ts';
import { fetchFiles } from '../../loader/fetch.ts';
import { systemClock } from '../../platform/clock.ts';
import { openStore } from '../../registry/open-store.ts';

/**
 * Fetches all of a bucket as the loader fetches versions, several folders and in each several files at once, each with its sha256; and nothing else that a loader does. Started as a child.
 * Arguments: URL of the bucket, folder.
 */
const [url, dir] = process.argv.slice(2) as [string, string];
/** As `KEDGE_CONCURRENCY` is by default. */
const FOLDERS_AT_ONCE = 4;

const store = openStore(url);
const folders = new Map<string, ViewFile[]>();
for await (const page of store.list('')) {
  for (const { key, bytes, etag, modifiedAt } of page) {
    const prefix = key.slice(0, key.lastIndexOf('/') + 1);
    const files = folders.get(prefix) ?? [];
    files.push({ path: key.slice(prefix.length), bytes, etag, modifiedAt });
    folders.set(prefix, files);
  }
}
const limit = pLimit(FOLDERS_AT_ONCE);
const options = { clock: systemClock, random: Math.random };
await Promise.all(
  [...folders].map(([prefix, files]) =>
    limit(() => fetchFiles(store, prefix, files, join(dir, dirname(`${prefix}.`)), options)),
  ),
);
store.close();
