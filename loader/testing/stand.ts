import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Catalog, CatalogVersion } from '../../contract/catalog.ts';
import { isAvailable } from '../../contract/catalog.ts';
import { readSettings } from '../../platform/settings.ts';
import type { ObjectStore } from '../../registry/object-store.ts';
import { type LoaderConfig, loaderSettings } from '../config.ts';
import { runLoader } from '../main.ts';
import { findDamage } from '../verify.ts';
import { readCatalog } from '../volume.ts';

/** A loader in this process over a store and a folder, asked by HTTP and by what it leaves on the volume. */
export interface Stand {
  /** The entry of a version, once the catalog names it. */
  entry(model: string, version: number): Promise<CatalogVersion | undefined>;
  catalog(): Promise<Catalog | undefined>;
  /** Waits until the entry is as asked; @throws what it was instead */
  until(
    model: string,
    version: number,
    wanted: (entry: CatalogVersion | undefined) => boolean,
  ): Promise<CatalogVersion>;
  available(model: string, version: number): Promise<CatalogVersion>;
  get(path: string): Promise<{ status: number; text: string }>;
  /** Lines of the log so far, parsed. */
  readonly log: readonly Record<string, unknown>[];
  /** What the run ended with, once it did. */
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

const QUICK: Record<string, string> = {
  KEDGE_LOADER_PORT: '0',
  KEDGE_POLL_SECONDS: '0.1',
  KEDGE_LIST_SECONDS: '0.2',
  KEDGE_LOCK_STALE_SECONDS: '2',
  KEDGE_PROBE_LOAD_SECONDS: '10',
  KEDGE_PROBE_RUN_SECONDS: '5',
  KEDGE_PROBE_MEMORY_MB: '1024',
};

export function configOf(volume: string, env: Record<string, string> = {}): LoaderConfig {
  mkdirSync(volume, { recursive: true });
  return readSettings(loaderSettings, { ...QUICK, KEDGE_BUCKET: 'file:///not-used', KEDGE_VOLUME: volume, ...env });
}

export async function startLoader(store: ObjectStore, config: LoaderConfig): Promise<Stand> {
  const stop = new AbortController();
  const log: Record<string, unknown>[] = [];
  const lines = { write: (line: string) => void log.push(JSON.parse(line)) };
  const listening = Promise.withResolvers<number>();
  const options = { once: false, signal: stop.signal, onListening: listening.resolve };
  const parts = { store, log: pino({ level: 'debug' }, lines) };
  const ended = runLoader(config, options, parts).then(
    () => undefined,
    (error: unknown) => error,
  );
  const url = `http://127.0.0.1:${await Promise.race([listening.promise, ended])}`;
  const catalog = async (): Promise<Catalog | undefined> => {
    const read = await readCatalog(config.volume);
    if (read.status === 'broken') throw new Error(`the catalog is broken: ${read.why}`);
    return read.status === 'ok' ? read.catalog : undefined;
  };
  const entry = async (model: string, version: number): Promise<CatalogVersion | undefined> => {
    const found = (await catalog())?.models.find(({ name }) => name === model);
    return found?.versions.find((each) => each.version === version);
  };
  const until: Stand['until'] = async (model, version, wanted) => {
    let last: CatalogVersion | undefined;
    const found = await eventually(
      async () => {
        last = await entry(model, version);
        return wanted(last) && { last };
      },
      () => `${model}/${version} is ${JSON.stringify(last)}`,
    );
    return found.last!;
  };
  return {
    entry,
    catalog,
    until,
    available: (model, version) => until(model, version, (each) => each?.state === 'available'),
    async get(path) {
      const response = await fetch(url + path);
      return { status: response.status, text: await response.text() };
    },
    log,
    ended,
    async stop() {
      stop.abort();
      await ended;
    },
  };
}

/** Asks until there is an answer. */
export async function eventually<T>(
  ask: () => Promise<T | false | undefined>,
  what: () => string,
  withinMs = 20_000,
): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`it did not come about within ${withinMs} ms: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Some more looks at the bucket, so that what would come of it has come. */
export async function looks(stand: Stand, count = 4): Promise<void> {
  const total = async (): Promise<number> => {
    const { text } = await stand.get('/metrics');
    return [...text.matchAll(/^kedge_loader_syncs_total\{.*\} (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
  };
  const before = await total();
  await eventually(
    async () => (await total()) >= before + count,
    () => 'looks at the bucket',
  );
}

/** What would be wrong with a volume at any moment: everything that the catalog names must lie there whole. */
export async function inconsistencies(volume: string): Promise<string[]> {
  const read = await readCatalog(volume);
  if (read.status === 'missing') return [];
  if (read.status === 'broken') return [`the catalog is broken: ${read.why}`];
  const problems: string[] = [];
  for (const { name, versions } of read.catalog.models)
    for (const entry of versions.filter(isAvailable)) {
      const damage = await findDamage(join(volume, entry.path), entry.manifest.files);
      if (damage) problems.push(`${name}/${entry.version}: ${damage}`);
    }
  return problems;
}

/** `model/version` of every folder on the volume, and what is left in staging. */
export function folders(volume: string): { versions: string[]; staging: string[] } {
  const names = (dir: string): string[] => {
    try {
      return readdirSync(join(volume, dir)).sort();
    } catch {
      return [];
    }
  };
  const versions = names('models').flatMap((model) => names(`models/${model}`).map((version) => `${model}/${version}`));
  return { versions, staging: names('.staging') };
}
