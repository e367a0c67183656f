import type { CatalogModel } from '../../contract/catalog.ts';
import { EMPTY_ROLLOUT, isRetired, namedVersions, type Rollout } from '../../contract/rollout.ts';
import type { ModelView } from './policy.ts';
import type { ServedVersion } from './served-version.ts';

/** What this server knows of one model. */
export class ServedModel {
  readonly name: string;
  /** Answers unversioned requests. The swap to another version is one assignment of this field. */
  active: ServedVersion | undefined;
  /** Versions that this server has or may have, in no order. */
  versions: ServedVersion[] = [];
  /** Of a lazy model: what an unversioned request waits for while nothing answers, and versions that requests may wait for. */
  wakeTarget: ServedVersion | undefined;
  wakes: ReadonlySet<ServedVersion> = new Set();
  /** An operator took it off this server; the volume knows nothing of it. */
  unloaded = false;
  /** The catalog shows it now. */
  isShown = true;
  /** The last that the catalog told; kept when the model vanishes from it. */
  catalog: CatalogModel;

  constructor(catalog: CatalogModel) {
    this.name = catalog.name;
    this.catalog = catalog;
  }

  /** Of the catalog; what was unloaded here counts as retired. */
  get rollout(): Rollout | undefined {
    const { rollout } = this.catalog;
    return this.unloaded ? { ...(rollout ?? EMPTY_ROLLOUT), retired: true } : rollout;
  }

  isRetired(version: number): boolean {
    return isRetired(this.rollout, version);
  }

  /** The instance of a version number to speak of: the one that can answer, else the one that the catalog offers. */
  find(version: number): ServedVersion | undefined {
    const same = this.versions.filter((one) => one.version === version);
    if (this.active && same.includes(this.active)) return this.active;
    return same.find((one) => one.isReady) ?? same.find((one) => one.vouched) ?? same[0];
  }

  /** Whether the version was heard of and is not retired. */
  knows(version: number): boolean {
    if (this.isRetired(version)) return false;
    return this.find(version) !== undefined || this.catalog.versions.some((one) => one.version === version);
  }

  /** What answers unversioned requests, or will as soon as it is asked and loaded. */
  get answering(): ServedVersion | undefined {
    return this.active ?? this.wakeTarget;
  }

  /** It answers, or will as soon as it is asked. */
  get isAble(): boolean {
    return this.answering !== undefined;
  }

  /** The version answers, or will as soon as it is asked for. */
  canAnswer(version: ServedVersion): boolean {
    return version.isReady || this.wakes.has(version);
  }

  /** The numbers of those that can, newest first. */
  get able(): number[] {
    const able = this.versions.filter((one) => this.canAnswer(one)).map(({ version }) => version);
    return [...new Set(able)].sort((a, b) => b - a);
  }

  /**
   * Whether a ready version may be given up for its memory: `spare` is held for a quick way back alone, `cold` is one of a lazy model
   * that no request holds or waits for. `busy`: it may once that is so.
   */
  dispensable(version: ServedVersion): 'spare' | 'cold' | 'busy' | undefined {
    const { lazy, policy } = this.rollout ?? EMPTY_ROLLOUT;
    const named = policy !== undefined || namedVersions(this.rollout).has(version.version);
    if (version !== this.active && !version.demanded && !named) return 'spare';
    if (!lazy) return undefined;
    return version.isCold ? 'cold' : 'busy';
  }

  /** A version is about to be released for its memory; of a lazy model the next request wakes it. */
  giveUp(version: ServedVersion): void {
    if (this.active === version) {
      this.active = undefined;
      this.wakeTarget = version;
    }
    if (this.rollout?.lazy) this.wakes = new Set([...this.wakes, version]);
  }

  /** Nothing of it is left to serve, by the will of the rollout. */
  get isGone(): boolean {
    return this.catalog.rollout?.retired === true && this.active === undefined;
  }

  view(): ModelView {
    return {
      rollout: this.rollout,
      active: this.active?.digest,
      versions: this.versions.map((one) => ({
        id: one.digest,
        version: one.version,
        state: one.state,
        vouched: one.vouched,
        failures: one.failures,
        retryAt: one.retryAt,
        unfit: one.unfit !== undefined,
        demanded: one.demanded,
        givenUp: one.givenUp,
      })),
    };
  }
}
