import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { FSWatcher } from 'chokidar';
import type { Catalog } from '../contract/catalog.ts';
import { messageOf } from '../contract/errors.ts';
import { CATALOG_FILE } from '../contract/layout.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { replaces } from './catalog-order.ts';
import { CatalogParser } from './parse-catalog.ts';

export interface CatalogSourceOptions {
  volume: string;
  pollMs: number;
  clock: Clock;
  log: Log;
  /** Gets the whole wanted set each time that it changes; what it gives back is waited for. */
  onCatalog(catalog: Catalog): unknown;
}

export interface CatalogSource {
  /** Why the catalog cannot be used now; undefined while it can. What was read before stays in force. */
  readonly problem: string | undefined;
  /** Looks at once, and resolves when it has. */
  look(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Watches `catalog.json` on the volume: by events of its folder, and by a poll, because network file systems send none.
 * An absent, unreadable or broken catalog is no news: it is logged once, and what was read before stays in force.
 */
export function watchCatalog(options: CatalogSourceOptions): CatalogSource {
  return new Watch(options);
}

class Watch implements CatalogSource {
  readonly #options: CatalogSourceOptions;
  readonly #file: string;
  readonly #closing = new AbortController();
  #events: FSWatcher | undefined;
  readonly #parser = new CatalogParser();
  #problem: string | undefined;
  #current: Catalog | undefined;
  /** Bytes that were judged last, so that a poll of an unchanged file ends there, and since when the volume shows them. */
  #seen: { bytes: Buffer; catalog: Catalog | undefined; since: number } | undefined;
  #looking: Promise<void> | undefined;
  #lookAgain = false;

  constructor(options: CatalogSourceOptions) {
    this.#options = options;
    this.#file = resolve(options.volume, CATALOG_FILE);
    void this.#poll();
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  async look(): Promise<void> {
    this.#lookAgain = true;
    this.#looking ??= this.#lookUntilSettled().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#events?.close();
    await this.#looking;
  }

  async #poll(): Promise<void> {
    const { signal } = this.#closing;
    await this.look();
    // Only now, so that the first look waits for nothing.
    await this.#listen();
    while (!signal.aborted) {
      await this.look();
      await this.#options.clock.sleep(this.#options.pollMs, signal);
    }
  }

  async #listen(): Promise<void> {
    const { watch } = await import('chokidar');
    if (this.#closing.signal.aborted) return;
    const folder = resolve(this.#options.volume);
    this.#events = watch(folder, {
      ignored: (path) => resolve(path) !== folder && resolve(path) !== this.#file,
      depth: 0,
      followSymlinks: false,
      ignoreInitial: true,
      ignorePermissionErrors: true,
    });
    this.#events.on('all', () => void this.look());
    this.#events.on('error', (error) =>
      this.#options.log.debug({ error: messageOf(error) }, 'no events from the volume'),
    );
  }

  async #lookUntilSettled(): Promise<void> {
    while (this.#lookAgain && !this.#closing.signal.aborted) {
      this.#lookAgain = false;
      await this.#lookOnce();
    }
  }

  /** Opens and reads rather than asking for the time of change: that is what a network file system answers freshly. */
  async #lookOnce(): Promise<void> {
    let bytes: Buffer;
    try {
      bytes = await readFile(this.#file);
    } catch (error) {
      this.#seen = undefined;
      this.#tell(`${this.#file} cannot be read: ${messageOf(error)}`, (error as NodeJS.ErrnoException).code);
      return;
    }
    if (!this.#seen?.bytes.equals(bytes))
      this.#seen = { bytes, catalog: await this.#parse(bytes), since: this.#options.clock.now() };
    const { catalog, since } = this.#seen;
    if (!catalog) return;
    this.#tell(undefined);
    if (catalog === this.#current || !replaces(this.#current, catalog, this.#options.clock.now() - since)) return;
    this.#current = catalog;
    await this.#options.onCatalog(catalog);
  }

  async #parse(bytes: Buffer): Promise<Catalog | undefined> {
    try {
      return await this.#parser.parse(bytes);
    } catch (error) {
      const sentence = messageOf(error).replaceAll(/\s+/g, ' ').slice(0, 300);
      this.#tell(`${this.#file} is not a catalog: ${sentence}`);
      return undefined;
    }
  }

  #tell(problem: string | undefined, cause?: string): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    const { log, volume } = this.#options;
    const first = this.#current === undefined;
    if (problem === undefined) log.info(first ? 'the first catalog is there' : 'the catalog can be read again');
    else if (first && cause === 'ENOENT') log.info(`waiting for the first catalog of the loader in ${volume}`);
    else if (first) log.warn({ code: 'document-invalid' }, `${problem}. Nothing was read before.`);
    else log.warn({ code: 'document-invalid' }, `${problem}. What was read before stays in force.`);
  }
}
