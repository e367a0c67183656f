import { afterEach, beforeEach } from 'vitest';
import { KedgeError } from '../../contract/errors.ts';
import { linearModel } from '../../contract/onnx/testing/models.ts';
import { silentLog } from '../../platform/log.ts';
import { type ManagerOptions, VersionManager } from '../lifecycle/manager.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import { FakeEngine } from './fake-engine.ts';
import { ManualClock } from './manual-clock.ts';
import { TestVolume } from './volume.ts';

export const MB = 2 ** 20;
const ESTIMATOR = { name: 'demo', version: '1.0.0', features: `sha256:${'1'.repeat(64)}` };
const MODEL = linearModel();

/** A manager over a volume, an engine and a clock whose every step a test decides. */
export class Stage {
  readonly volume = new TestVolume();
  readonly engine = new FakeEngine();
  readonly clock = new ManualClock();
  manager: VersionManager;
  readonly #options: Partial<ManagerOptions>;

  constructor(options: Partial<ManagerOptions> = {}) {
    this.#options = options;
    this.manager = this.remake();
  }

  /** Begins again with another manager. */
  remake(options: Partial<ManagerOptions> = {}): VersionManager {
    this.manager = new VersionManager({
      volume: this.volume.dir,
      engines: { inline: this.engine, host: this.engine },
      engineMode: 'auto',
      code: { server: '1.0.0', estimators: [ESTIMATOR] },
      keepReady: 2,
      loadRetries: 2,
      parallelLoads: 4,
      lazyWaitMs: 5_000,
      firstLoadsMs: 60_000,
      memoryBudgetBytes: undefined,
      residentBytes: () => 0,
      clock: this.clock,
      random: () => 1,
      log: silentLog,
      ...this.#options,
      ...options,
    });
    return this.manager;
  }

  /** Lays down a version that takes so many MiB by its probe. */
  add(name: string, version: number, { takes = 1, lazy = false } = {}): void {
    this.volume.add(name, version, MODEL, { probe: { memoryBytes: takes * MB } });
    if (lazy) this.volume.rollout(name, { lazy: true });
  }

  /** Lets everything that waits for nothing but its turn have it. */
  async turn(): Promise<void> {
    await new Promise(setImmediate);
    await new Promise(setImmediate);
  }

  /** Shows the manager what the volume has now. */
  async show(): Promise<void> {
    await this.manager.update(this.volume.next());
    await this.turn();
  }

  /** Lets loads succeed. */
  async finish(...names: string[]): Promise<void> {
    for (const name of names) {
      this.engine.finish(name);
      await this.turn();
    }
  }

  async fail(name: string, code: KedgeError['code'], message = `${name} failed.`): Promise<void> {
    this.engine.fail(name, new KedgeError(code, message));
    await this.turn();
  }

  /** Version 1 of `m` answers. */
  async settleFirst(): Promise<void> {
    this.add('m', 1);
    await this.show();
    await this.finish('m/1');
  }

  active(name = 'm'): number | undefined {
    return this.manager.model(name)?.active?.version;
  }

  states(name = 'm'): Record<number, string> {
    const versions = this.manager.model(name)?.versions ?? [];
    return Object.fromEntries(versions.map(({ version, state }) => [version, state]));
  }

  version(number: number, name = 'm'): ServedVersion {
    return this.manager.model(name)!.find(number)!;
  }

  /** What a request does: waits if it must, then holds the version for a moment. */
  async ask(name: string): Promise<number> {
    const version = this.manager.model(name)!.active ?? this.manager.model(name)!.wakeTarget!;
    await this.manager.wake(version);
    version.enter();
    version.leave();
    return version.version;
  }
}

/** A new stage for each test. */
export function useStage(options: Partial<ManagerOptions> = {}): () => Stage {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage(options);
  });
  afterEach(() => stage.volume.remove());
  return () => stage;
}
