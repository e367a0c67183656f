export interface Estimate {
  /** What a probe measured, in bytes. */
  probed: number;
  /** Bytes of its files: the runtime holds the weights. */
  files: number;
}

interface Entry {
  bytes: number;
  estimate: Estimate;
  state: 'loading' | 'loaded' | 'leaving';
}

export interface Loaded {
  /** What the engine says that it takes, where it can tell. */
  measured?: number | undefined;
}

/** How far what a load showed may lie over the probe before it is put down to something else. */
const MAX_OVER = 2;

/**
 * What each version takes. From the start of its load to the end of its release it stands with what the probe measured, corrected once
 * the load showed better: by the engine's own word, or, of versions in this process, by the growth of its resident memory from when
 * none was loading to when none is any more, shared among those that loaded meanwhile in proportion to their estimates. The growth
 * counts for no less than the files and no more than twice the estimates, because other work moves it too; and not at all if
 * something was released meanwhile.
 */
export class MemoryBook<K> {
  readonly #entries = new Map<K, Entry>();
  /** Sums of the entries by state. */
  readonly #sums = { loading: 0, loaded: 0, leaving: 0 };
  readonly #residentBytes: () => number;
  /** Of the time in which loads in this process overlap. */
  #window: { before: number; keys: K[]; spoilt: boolean } | undefined;

  /** @param residentBytes of this process */
  constructor(residentBytes: () => number) {
    this.#residentBytes = residentBytes;
  }

  static estimate({ probed, files }: Estimate): number {
    return Math.max(probed, files);
  }

  /** Bytes of all versions. */
  get taken(): number {
    return this.#sums.loading + this.#sums.loaded + this.#sums.leaving;
  }

  /** Bytes of those whose load is under way. */
  get loading(): number {
    return this.#sums.loading;
  }

  /** Bytes of those that are being released. */
  get leaving(): number {
    return this.#sums.leaving;
  }

  bytesOf(key: K): number | undefined {
    return this.#entries.get(key)?.bytes;
  }

  isLoaded(key: K): boolean {
    const state = this.#entries.get(key)?.state;
    return state === 'loaded' || state === 'leaving';
  }

  isLeaving(key: K): boolean {
    return this.#entries.get(key)?.state === 'leaving';
  }

  begin(key: K, estimate: Estimate, inline: boolean): void {
    if (inline) {
      this.#window ??= { before: this.#residentBytes(), keys: [], spoilt: false };
      this.#window.keys.push(key);
    }
    const bytes = MemoryBook.estimate(estimate);
    this.#entries.set(key, { bytes, estimate, state: 'loading' });
    this.#sums.loading += bytes;
  }

  /** Its load ended well. */
  loaded(key: K, { measured }: Loaded = {}): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#move(entry, 'loaded');
    if (measured !== undefined) this.#correct(entry, Math.max(measured, entry.estimate.files));
    this.#closeWindow();
  }

  /** It is being released. */
  leave(key: K): void {
    const entry = this.#entries.get(key);
    if (entry) this.#move(entry, 'leaving');
    if (this.#window) this.#window.spoilt = true;
  }

  /** It is wanted after all. */
  stay(key: K): void {
    const entry = this.#entries.get(key);
    if (entry?.state === 'leaving') this.#move(entry, 'loaded');
  }

  /** Nothing of it is left, or its load failed. */
  end(key: K): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#sums[entry.state] -= entry.bytes;
    if (entry.state !== 'loading' && this.#window) this.#window.spoilt = true;
    this.#closeWindow();
  }

  #move(entry: Entry, state: Entry['state']): void {
    this.#sums[entry.state] -= entry.bytes;
    this.#sums[state] += entry.bytes;
    entry.state = state;
  }

  #correct(entry: Entry, bytes: number): void {
    this.#sums[entry.state] += bytes - entry.bytes;
    entry.bytes = bytes;
  }

  #closeWindow(): void {
    const window = this.#window;
    if (!window) return;
    const entries = window.keys.flatMap((key) => this.#entries.get(key) ?? []);
    if (entries.some(({ state }) => state === 'loading')) return;
    this.#window = undefined;
    const total = entries.reduce((sum, { estimate }) => sum + MemoryBook.estimate(estimate), 0);
    const growth = this.#residentBytes() - window.before;
    if (window.spoilt || total === 0) return;
    for (const entry of entries) {
      const estimate = MemoryBook.estimate(entry.estimate);
      const share = (growth * estimate) / total;
      this.#correct(entry, Math.round(Math.min(Math.max(share, entry.estimate.files), estimate * MAX_OVER)));
    }
  }
}
