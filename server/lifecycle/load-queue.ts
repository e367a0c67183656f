import type { Refusal } from '../../contract/refusal.ts';
import { isLight } from '../../engine/host-runner.ts';
import { inLoadOrder, type LoadWish } from './load-order.ts';
import { type Estimate, MemoryBook } from './memory-book.ts';
import { makeRoom, type Room, type Victim } from './room.ts';
import type { ServedVersion } from './served-version.ts';

export interface Wish extends LoadWish {
  version: ServedVersion;
}

export interface LoadQueueOptions {
  /** Loads at the same time. */
  parallelLoads: number;
  /** Bytes that all versions together may take; undefined: no limit. */
  budgetBytes: number | undefined;
  /** Resident bytes of this process. */
  residentBytes: () => number;
  /** Loads a version. Resolves when it is ready or will not be. */
  load(version: ServedVersion): Promise<void>;
  /** What could be released to make room for a version. */
  victims(version: ServedVersion): readonly Victim<ServedVersion>[];
  /** Releases a version, because its memory is needed. */
  giveUp(version: ServedVersion): void;
  refuse(version: ServedVersion, reasons: readonly Refusal[]): void;
  /** Told once of a version that will be held up until lazy models are cold. */
  onHeldUp(version: ServedVersion): void;
  /** A load ended, or memory came back. `version` may be loaded elsewhere now, and others may fit. */
  onRoom(version: ServedVersion): void;
}

/**
 * What every model wants loaded, and the memory that it is to fit in. It grants the wishes in order, as many at a time as told, and
 * keeps book of what each version takes.
 */
export class LoadQueue {
  readonly #options: LoadQueueOptions;
  readonly #wishes = new Map<string, Wish[]>();
  readonly #loads = new Set<Promise<void>>();
  /** Versions that lazy models in use leave no room for. */
  readonly #heldUp = new Set<ServedVersion>();
  readonly #book: MemoryBook<ServedVersion>;

  constructor(options: LoadQueueOptions) {
    this.#options = options;
    this.#book = new MemoryBook(options.residentBytes);
  }

  get memory(): { budgetBytes: number | undefined; takenBytes: number } {
    return { budgetBytes: this.#options.budgetBytes, takenBytes: this.#book.taken };
  }

  /** What a version takes; undefined while nothing of it is loaded. */
  bytesOf(version: ServedVersion): number | undefined {
    return this.#book.bytesOf(version);
  }

  /** Loads under way. */
  get loads(): ReadonlySet<Promise<void>> {
    return this.#loads;
  }

  /** Replaces the wishes of a model. */
  wish(model: string, wishes: readonly Wish[]): void {
    if (wishes.length > 0) this.#wishes.set(model, [...wishes]);
    else this.#wishes.delete(model);
    for (const version of this.#heldUp) {
      if (version.model === model && !wishes.some((wish) => wish.version === version)) this.#heldUp.delete(version);
    }
  }

  clear(): void {
    this.#wishes.clear();
    this.#heldUp.clear();
  }

  /** Something of a model waits to be loaded; spare versions and those that are held up apart, which may wait for ever. */
  isWaiting(model: string): boolean {
    return this.#wishes.get(model)?.some(({ spare, version }) => !spare && !this.#heldUp.has(version)) ?? false;
  }

  /** Versions that there will be room for once lazy models are cold that are in use now. */
  get heldUp(): ReadonlySet<ServedVersion> {
    return this.#heldUp;
  }

  /** Grants what can be granted now. */
  grant(): void {
    if (this.#wishes.size === 0 || this.#loads.size >= this.#options.parallelLoads) return;
    for (const wish of inLoadOrder([...this.#wishes.values()].flat())) {
      if (this.#loads.size >= this.#options.parallelLoads) return;
      const { version, spare } = wish;
      const verdict = this.#judge(version, spare);
      if (verdict.do === 'hold') this.#hold(version);
      else this.#heldUp.delete(version);
      if (verdict.do === 'load') this.#load(wish);
      else if (verdict.do === 'refuse') this.#refuse(wish);
      else if (verdict.do === 'release') for (const victim of verdict.victims) this.#options.giveUp(victim);
      // Whoever comes later does not take the room that this one waits for.
      if ((verdict.do === 'wait' || verdict.do === 'release') && !spare) return;
    }
  }

  /** Whether a version that was refused for want of room has room now, or room that can be made, at once or later. */
  hasRoom(version: ServedVersion): boolean {
    const { do: verdict } = this.#judge(version, false);
    return verdict === 'load' || verdict === 'release' || verdict === 'hold';
  }

  /** Told of each change of state. */
  note(version: ServedVersion): void {
    if (version.state === 'ready') this.#book.stay(version);
    else if (version.state === 'draining') this.#book.leave(version);
    else if ((version.state === 'released' || version.state === 'failed') && this.#book.isLoaded(version)) {
      this.#book.leave(version);
      void version.drained().then(() => {
        if (version.isReady || !this.#book.isLeaving(version)) return;
        this.#book.end(version);
        this.#options.onRoom(version);
      });
    }
  }

  #load(wish: Wish): void {
    const { version } = wish;
    this.#strike(wish);
    const { load, onRoom } = this.#options;
    const begin = (): void => this.#book.begin(version, estimateOf(version), version.placement.engine === 'inline');
    const work = load(version).then(() => {
      this.#loads.delete(work);
      if (version.isReady) this.#book.loaded(version, { measured: version.measuredBytes });
      else this.#book.end(version);
      onRoom(version);
    });
    begin();
    this.#loads.add(work);
  }

  #hold(version: ServedVersion): void {
    if (this.#heldUp.has(version)) return;
    this.#heldUp.add(version);
    this.#options.onHeldUp(version);
  }

  #refuse(wish: Wish): void {
    const { version } = wish;
    this.#strike(wish);
    this.#options.refuse(version, [this.#noRoom(version)]);
  }

  #strike({ model, version }: Wish): void {
    this.wish(
      model,
      this.#wishes.get(model)!.filter((wish) => wish.version !== version),
    );
  }

  #judge(version: ServedVersion, spare: boolean) {
    const { budgetBytes, victims } = this.#options;
    if (budgetBytes === undefined) return { do: 'load' } as const;
    const room: Room<ServedVersion> = {
      budget: budgetBytes,
      taken: this.#book.taken,
      leaving: this.#book.leaving,
      loading: this.#book.loading,
      victims: () => victims(version),
    };
    return makeRoom(MemoryBook.estimate(estimateOf(version)), room, { spare });
  }

  #noRoom(version: ServedVersion): Refusal {
    const need = MemoryBook.estimate(estimateOf(version));
    const budget = this.#options.budgetBytes!;
    const free = Math.max(0, budget - this.#book.taken);
    return {
      code: 'memory-budget',
      message:
        `Version ${version.version} of ${version.model} takes ${mebibytes(need)}, and of the ${mebibytes(budget)} that versions may take here ${mebibytes(free)} are free. ` +
        'Give the pod more memory (or raise KEDGE_MEMORY_BUDGET_MB), retire what is not needed, make models lazy that are seldom asked for, or publish a smaller model.',
      expected: `<= ${free}`,
      found: String(need),
    };
  }
}

/** What the process of a heavy model takes before it is loaded, in bytes: so much of its own was seen of an empty one. */
const HOST_BYTES = 64 * 2 ** 20;

function estimateOf({ entry, placement }: ServedVersion): Estimate {
  const { probe, manifest } = entry;
  const files = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const alone = placement.engine === 'host' && !isLight({ cost: probe });
  return { probed: probe.memoryBytes + (alone ? HOST_BYTES : 0), files };
}

function mebibytes(bytes: number): string {
  const value = bytes / 2 ** 20;
  return `${value >= 10 ? Math.round(value) : Number(value.toPrecision(2))} MiB`;
}
