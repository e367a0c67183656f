import { type CatalogAvailable, type CatalogVersion, isAvailable } from '../contract/catalog.ts';
import { hasCode, KedgeError, messageOf } from '../contract/errors.ts';
import { versionDir } from '../contract/layout.ts';
import type { Refusal } from '../contract/refusal.ts';
import { backoffMs } from '../platform/backoff.ts';
import { isoTime } from '../platform/clock.ts';
import { adoptVersion } from './adopt.ts';
import type { VersionView } from './bucket-view.ts';
import type { BucketWatch } from './bucket-watch.ts';
import { entriesOf, entryOf, rolloutOf, withEntry, withoutEntry } from './catalog-edit.ts';
import type { CatalogKeeper } from './catalog-keeper.ts';
import type { Conditions } from './conditions.ts';
import { judgedByOf } from './judged-by.ts';
import { readManifest } from './model-contract.ts';
import type { Action } from './plan.ts';
import { recheckVersion } from './recheck.ts';
import { groupOf, PLAIN } from './retention.ts';
import type { Services } from './services.ts';
import { settleUnavailable } from './settle.ts';
import { fetchVersion, type Outcome } from './version-job.ts';

export interface WorkOptions {
  services: Services;
  keeper: CatalogKeeper;
  watch: BucketWatch;
  conditions: Conditions;
  /** Told whenever something was finished, so that the next thing can be planned. */
  onSettled: () => void;
  /** Told once of what no later try can mend: the lock is lost. */
  onFatal: (error: KedgeError) => void;
  signal: AbortSignal;
}

type Version = { model: string; version: number };
type Task = Action | ({ kind: 'adopt' } & Version);

/** How long something that went wrong for reasons of the bucket or the volume is left alone. */
const HOLD = { baseMs: 1_000, maxMs: 60_000 };

const keyOf = ({ model, version }: Version): string => `${model}/${version}`;

/**
 * Does what the plan says, many versions side by side. One thing at a time is under way for a version, and no version waits for
 * another: each is settled in the catalog, and the catalog written, as soon as it is known what becomes of it.
 */
export class Work {
  readonly #options: WorkOptions;
  readonly #running = new Map<string, Promise<void>>();
  readonly #held = new Map<string, { until: number; failures: number; volume: boolean }>();
  /** The code that published versions need, by version and fingerprint. */
  readonly #groups = new Map<string, { fingerprint: string; group: string }>();

  /** Available ones whose folders somebody took from the volume; servers may hold them still, so their entries stay. */
  readonly #lost = new Set<string>();

  constructor(options: WorkOptions) {
    this.#options = options;
  }

  get idle(): boolean {
    return this.#running.size === 0;
  }

  /** Nothing can be brought onto the volume now, or the catalog not written. */
  get failing(): boolean {
    return [...this.#held.values()].some(({ volume }) => volume) || this.#options.conditions.has('catalog');
  }

  /** When, after now, something that was left alone may be tried again; Infinity if there is no such thing. */
  nextAt(now: number): number {
    let next = Infinity;
    for (const { until } of this.#held.values()) if (until > now) next = Math.min(next, until);
    for (const { versions } of this.#options.keeper.models) {
      for (const entry of versions) {
        const at = isAvailable(entry) || entry.retryAt === undefined ? 0 : Date.parse(entry.retryAt);
        if (at > now) next = Math.min(next, at);
      }
    }
    return next;
  }

  /** Versions that are to be left alone, by model. */
  busy(now: number): Map<string, Set<number>> {
    const held = [...this.#held].filter(([, { until }]) => until > now).map(([key]) => key);
    const busy = new Map<string, Set<number>>();
    for (const key of [...this.#running.keys(), ...held, ...this.#options.keeper.leaving]) {
      const [model, version] = key.split('/') as [string, string];
      const own = busy.get(model) ?? new Set();
      busy.set(model, own.add(Number(version)));
    }
    return busy;
  }

  /** Looks whether the volume still has what was put on it; what is missing comes again with the next plans. */
  async checkVolume(): Promise<void> {
    const { keeper, services } = this.#options;
    const { volume, log } = services;
    try {
      if (await keeper.isLost()) {
        log.warn('The catalog on the volume is not the one that was written last. It is written again.');
        keeper.touch();
      }
      for (const { name, versions } of keeper.models)
        for (const { version } of versions.filter(isAvailable)) {
          const key = `${name}/${version}`;
          if (await volume.has(name, version)) this.#lost.delete(key);
          else if (!this.#lost.has(key) && isStill(keeper, name, version)) {
            log.error({ model: name, version, code: 'object-missing' }, `${key} is gone from the volume.`);
            this.#lost.add(key);
          }
        }
    } catch (error) {
      // The next write tells of a volume that is in trouble.
      if (!hasCode(error, 'volume-failed')) throw error;
      log.warn({ code: error.code }, error.message);
    }
  }

  /** Versions of a model that are in the catalog and not on the volume. */
  lost(model: string): Set<number> {
    const own = [...this.#lost].map((key) => key.split('/') as [string, string]);
    return new Set(own.filter(([name]) => name === model).map(([, version]) => Number(version)));
  }

  /** The code that a version needs, once its manifest was read. */
  groupOf(model: string, { version, fingerprint }: VersionView): string | undefined {
    const known = this.#groups.get(`${model}/${version}`);
    return known?.fingerprint === fingerprint ? known.group : undefined;
  }

  /** Starts what the plan says, and forgets holds of what it does not want any more. */
  start(tasks: readonly Task[]): void {
    for (const task of tasks) this.#start(task);
    const now = this.#options.services.clock.now();
    for (const [key, { until }] of this.#held) if (until <= now && !this.#running.has(key)) this.#release(key);
  }

  /** Resolves when all that is under way has ended. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  #start(task: Task): void {
    const key = keyOf(task);
    const run = this.#run(task)
      .then(() => this.#release(key))
      .catch((error: unknown) => this.#onError(task, error))
      .then(() => {
        this.#running.delete(key);
        this.#options.onSettled();
      });
    this.#running.set(key, run);
  }

  async #run(task: Task): Promise<void> {
    const { keeper, watch } = this.#options;
    const { model, version } = task;
    const view = watch.versions(model).find((each) => each.version === version);
    const entry = entryOf(keeper.models, model, version);
    switch (task.kind) {
      case 'drop':
        this.#options.services.log.info({ model, version }, `${model}/${version} leaves the volume.`);
        keeper.take(model, version);
        break;
      case 'forget':
        keeper.edit((models) => withoutEntry(models, model, version));
        break;
      case 'incomplete':
        this.#noteIncomplete(task);
        break;
      case 'adopt':
        await this.#adopt(task, view);
        break;
      case 'peek':
        if (view) await this.#peek(model, view);
        return;
      case 'recheck':
        if (view && entry && isAvailable(entry)) await this.#recheck(model, entry, view);
        break;
      case 'fetch':
        if (view) await this.#fetch(model, view, entry);
        break;
    }
    await this.#flush();
  }

  async #fetch(model: string, view: VersionView, before: CatalogVersion | undefined): Promise<void> {
    const { services, keeper, watch, signal } = this.#options;
    const { version } = view;
    services.log.info({ model, version, attempt: attemptsOf(before) + 1 }, `Fetching ${model}/${version}.`);
    const sight = {
      model,
      versions: watch.versions(model),
      entries: entriesOf(keeper.models, model),
      rollout: rolloutOf(keeper.models, model),
    };
    let outcome: Outcome;
    try {
      outcome = await fetchVersion(services, sight, view, signal);
    } catch (error) {
      const reason = this.#fetchFailed(error);
      if (!reason || (before && isAvailable(before))) throw error;
      outcome = { ok: false, reasons: [reason] };
    }
    if (outcome.ok) {
      this.#lost.delete(`${model}/${version}`);
      this.#settleAvailable(model, version, view, outcome);
    } else if (before && isAvailable(before)) {
      // It was good once, and servers may hold it: only a retirement takes it away.
      const why = outcome.reasons.map(({ message }) => message).join(' ');
      const error = new KedgeError(
        'model-not-ready',
        `${model}/${version} could not be put on the volume again. ${why}`,
      );
      services.log.warn({ model, version, code: error.code }, error.message);
      throw error;
    } else this.#settleUnavailable(model, view, before, outcome);
  }

  /** What is the bucket's fault is written down, so that the server can tell of it; what is the volume's, or ours, is not. */
  #fetchFailed(error: unknown): Refusal | undefined {
    const { signal, watch } = this.#options;
    if (signal.aborted || !(error instanceof KedgeError)) return undefined;
    if (error.code === 'volume-failed' || error.code === 'volume-locked') return undefined;
    if (error.code === 'object-changed' || error.code === 'object-missing') watch.listSoon();
    return { code: 'fetch-failed', message: `${sentence(error.message)} It is tried again.` };
  }

  async #adopt({ model, version }: Version, view: VersionView | undefined): Promise<void> {
    const { services, keeper, signal } = this.#options;
    const outcome = await adoptVersion(services, model, version, signal);
    services.log.info({ model, version, ok: outcome?.ok ?? false }, `${model}/${version} was on the volume already.`);
    if (outcome?.ok) this.#settleAvailable(model, version, view, outcome, '');
    else keeper.take(model, version);
  }

  /** @param fingerprint what the bucket showed when this was decided; '' where it was not asked */
  #settleAvailable(
    model: string,
    version: number,
    view: VersionView | undefined,
    { judged, report }: Outcome & { ok: true },
    fingerprint = view?.fingerprint ?? '',
  ): void {
    const { keeper, services } = this.#options;
    const entry: CatalogAvailable = {
      version,
      state: 'available',
      since: isoTime(services.clock.now()),
      bare: view?.kind === 'bare',
      fingerprint,
      digest: judged.digest,
      path: versionDir(model, version),
      manifest: judged.manifest,
      probe: report,
      unproved: judged.unproved,
      rows: judged.rows,
    };
    keeper.edit((models) => withEntry(models, model, entry));
    services.log.info({ model, version, digest: judged.digest, probe: report }, `${model}/${version} is available.`);
  }

  #settleUnavailable(
    model: string,
    { version, kind, fingerprint }: VersionView,
    before: CatalogVersion | undefined,
    { reasons, digest }: Outcome & { ok: false },
  ): void {
    const { keeper, services } = this.#options;
    const { clock, random } = services;
    const judgedBy = judgedByOf(services.config);
    const unsettled = { version, bare: kind === 'bare', fingerprint, digest, reasons, judgedBy };
    const entry = settleUnavailable(unsettled, before, clock.now(), random());
    keeper.edit((models) => withEntry(models, model, entry));
    if (before?.state === entry.state && before.since === entry.since) return;
    for (const { code, message } of reasons) {
      const facts = { model, version, digest, code, state: entry.state, retryAt: entry.retryAt };
      services.log.warn(facts, `${model}/${version} is ${entry.state}: ${message}`);
    }
  }

  #noteIncomplete({ model, version, fingerprint }: Action & { kind: 'incomplete' }): void {
    const since = isoTime(this.#options.services.clock.now());
    const common = { version, since, bare: false, fingerprint, reasons: [], attempts: 0 };
    this.#options.keeper.edit((models) => withEntry(models, model, { ...common, state: 'incomplete' }));
  }

  async #peek(model: string, view: VersionView): Promise<void> {
    const { services, signal } = this.#options;
    const { parsed } = await services.fetching(() => readManifest(services.reader, model, view, signal));
    const group = parsed.ok ? groupOf(parsed.manifest) : PLAIN;
    this.#groups.set(`${model}/${view.version}`, { fingerprint: view.fingerprint, group });
  }

  async #recheck(model: string, entry: CatalogAvailable, view: VersionView): Promise<void> {
    const { services, keeper, signal } = this.#options;
    const { version } = entry;
    const warnings = await recheckVersion(services, model, entry, view, signal);
    keeper.edit((models) => {
      const current = entryOf(models, model, version);
      if (!current || !isAvailable(current)) return models;
      const { warnings: _before, ...rest } = current;
      const checked = { ...rest, fingerprint: view.fingerprint, bare: view.kind === 'bare' };
      return withEntry(models, model, warnings.length > 0 ? { ...checked, warnings } : checked);
    });
    for (const { code, message } of warnings) services.log.warn({ model, version, code }, message);
  }

  async #flush(): Promise<void> {
    const { keeper, conditions } = this.#options;
    try {
      await keeper.flush();
      conditions.clear('catalog');
    } catch (error) {
      if (hasCode(error, 'volume-failed')) conditions.raise('catalog', error);
      else throw error;
    }
  }

  /** Writes what is still to be written. @throws KedgeError `volume-locked` */
  async flush(): Promise<void> {
    await this.#flush();
  }

  #onError(task: Task, error: unknown): void {
    const { signal, conditions, services, watch, onFatal } = this.#options;
    const { model, version, kind } = task;
    if (signal.aborted) return;
    if (hasCode(error, 'volume-locked')) {
      onFatal(error);
      return;
    }
    const volume = hasCode(error, 'volume-failed');
    if (volume) conditions.raise('volume', error);
    else if (hasCode(error, 'object-changed') || hasCode(error, 'object-missing')) watch.listSoon();
    else if (!(error instanceof KedgeError))
      services.log.error({ model, version, kind, err: error }, `unexpected: ${messageOf(error)}`);
    const key = keyOf(task);
    const failures = (this.#held.get(key)?.failures ?? 0) + 1;
    const until = services.clock.now() + backoffMs(failures - 1, HOLD, services.random());
    this.#held.set(key, { until, failures, volume });
  }

  #release(key: string): void {
    this.#held.delete(key);
    if (![...this.#held.values()].some(({ volume }) => volume)) this.#options.conditions.clear('volume');
  }
}

function isStill(keeper: CatalogKeeper, model: string, version: number): boolean {
  const entry = entryOf(keeper.models, model, version);
  return entry !== undefined && isAvailable(entry) && !keeper.leaving.includes(`${model}/${version}`);
}

function attemptsOf(entry: CatalogVersion | undefined): number {
  return entry && !isAvailable(entry) ? entry.attempts : 0;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
