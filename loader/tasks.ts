import { type CatalogVersion, isAvailable } from '../contract/catalog.ts';
import { KedgeError } from '../contract/errors.ts';
import type { Refusal } from '../contract/refusal.ts';
import { adoptVersion } from './adopt.ts';
import type { VersionView } from './bucket-view.ts';
import type { BucketWatch } from './bucket-watch.ts';
import { entriesOf, entryOf, rolloutOf, withoutEntry } from './catalog-edit.ts';
import type { CatalogKeeper } from './catalog-keeper.ts';
import { readManifest } from './model-contract.ts';
import type { Action } from './plan.ts';
import { recheckVersion } from './recheck.ts';
import { groupOf, PLAIN } from './retention.ts';
import type { Services } from './services.ts';
import { Verdicts } from './verdicts.ts';
import { fetchVersion, type Outcome } from './version-job.ts';
import type { VolumeCheck } from './volume-check.ts';

/** One thing to do about one version: what the plan says, or to adopt what lies on the volume and is in no catalog. */
export type Task = Action | { kind: 'adopt'; model: string; version: number };

export interface TasksOptions {
  services: Services;
  keeper: CatalogKeeper;
  watch: BucketWatch;
  check: VolumeCheck;
  signal: AbortSignal;
}

/** Does one task: the work itself, and what becomes of it in the catalog in memory. */
export class Tasks {
  readonly #options: TasksOptions;
  readonly #verdicts: Verdicts;
  /** The code that published versions need, by version and fingerprint. */
  readonly #groups = new Map<string, { fingerprint: string; group: string }>();

  constructor(options: TasksOptions) {
    this.#options = options;
    this.#verdicts = new Verdicts(options.keeper, options.services);
  }

  /** The code that a version needs, once its manifest was read. */
  groupOf(model: string, { version, fingerprint }: VersionView): string | undefined {
    const known = this.#groups.get(`${model}/${version}`);
    return known?.fingerprint === fingerprint ? known.group : undefined;
  }

  /** @throws KedgeError of the bucket or the volume, where no verdict came of it */
  async run(task: Task): Promise<void> {
    const { keeper, watch, services } = this.#options;
    const { model, version } = task;
    const view = watch.versions(model).find((each) => each.version === version);
    const entry = entryOf(keeper.models, model, version);
    switch (task.kind) {
      case 'drop':
        services.log.info({ model, version }, `${model}/${version} leaves the volume.`);
        keeper.take(model, version);
        break;
      case 'forget':
        keeper.edit((models) => withoutEntry(models, model, version));
        this.#groups.delete(`${model}/${version}`);
        break;
      case 'incomplete':
        this.#verdicts.incomplete(model, version, task.fingerprint);
        break;
      case 'adopt':
        await this.#adopt(model, version, view);
        break;
      case 'peek':
        if (view) await this.#peek(model, view);
        break;
      case 'recheck':
        if (view && entry && isAvailable(entry)) {
          const warnings = await recheckVersion(services, model, entry, view, this.#options.signal);
          this.#verdicts.rechecked(model, version, view, warnings);
        }
        break;
      case 'fetch':
        if (view) await this.#fetch(model, view, entry);
        break;
    }
  }

  async #fetch(model: string, view: VersionView, before: CatalogVersion | undefined): Promise<void> {
    const { services, keeper, watch, check, signal } = this.#options;
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
      check.found(model, version);
      this.#verdicts.available(model, version, view, outcome);
    } else if (before && isAvailable(before)) {
      // It was good once, and servers may hold it: only a retirement takes it away.
      const why = outcome.reasons.map(({ message }) => message).join(' ');
      const error = new KedgeError(
        'model-not-ready',
        `${model}/${version} could not be put on the volume again. ${why}`,
      );
      services.log.warn({ model, version, code: error.code }, error.message);
      throw error;
    } else this.#verdicts.unavailable(model, view, before, outcome);
  }

  /** What is the bucket's fault is written down, so that the server can tell of it; what is the volume's, or ours, is not. */
  #fetchFailed(error: unknown): Refusal | undefined {
    const { signal, watch } = this.#options;
    if (signal.aborted || !(error instanceof KedgeError)) return undefined;
    if (error.code === 'volume-failed' || error.code === 'volume-locked') return undefined;
    if (error.code === 'object-changed' || error.code === 'object-missing') watch.listSoon();
    return { code: 'fetch-failed', message: `${sentence(error.message)} It is tried again.` };
  }

  async #adopt(model: string, version: number, view: VersionView | undefined): Promise<void> {
    const { services, keeper, signal } = this.#options;
    const outcome = await adoptVersion(services, model, version, signal);
    services.log.info({ model, version, ok: outcome?.ok ?? false }, `${model}/${version} was on the volume already.`);
    if (outcome?.ok) this.#verdicts.available(model, version, view, outcome, '');
    else keeper.take(model, version);
  }

  async #peek(model: string, view: VersionView): Promise<void> {
    const { services, signal } = this.#options;
    const { parsed } = await services.fetching(() => readManifest(services.reader, model, view, signal));
    const group = parsed.ok ? groupOf(parsed.manifest) : PLAIN;
    this.#groups.set(`${model}/${view.version}`, { fingerprint: view.fingerprint, group });
  }
}

function attemptsOf(entry: CatalogVersion | undefined): number {
  return entry && !isAvailable(entry) ? entry.attempts : 0;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
