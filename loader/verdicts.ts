import { type CatalogAvailable, type CatalogVersion, isAvailable } from '../contract/catalog.ts';
import { versionDir } from '../contract/layout.ts';
import type { Refusal } from '../contract/refusal.ts';
import { isoTime } from '../platform/clock.ts';
import type { VersionView } from './bucket-view.ts';
import { entryOf, withEntry } from './catalog-edit.ts';
import type { CatalogKeeper } from './catalog-keeper.ts';
import { judgedByOf } from './judged-by.ts';
import type { Services } from './services.ts';
import { settleUnavailable } from './settle.ts';
import type { Outcome } from './version-job.ts';

/** Writes down in the catalog what became of a version, and tells of it in the log. */
export class Verdicts {
  readonly #keeper: CatalogKeeper;
  readonly #services: Pick<Services, 'clock' | 'random' | 'log' | 'config'>;

  constructor(keeper: CatalogKeeper, services: Pick<Services, 'clock' | 'random' | 'log' | 'config'>) {
    this.#keeper = keeper;
    this.#services = services;
  }

  /** @param fingerprint what the bucket showed when this was decided; '' where it was not asked */
  available(
    model: string,
    version: number,
    view: VersionView | undefined,
    { judged, report }: Outcome & { ok: true },
    fingerprint = view?.fingerprint ?? '',
  ): void {
    const { clock, log } = this.#services;
    const entry: CatalogAvailable = {
      version,
      state: 'available',
      since: isoTime(clock.now()),
      bare: view?.kind === 'bare',
      fingerprint,
      digest: judged.digest,
      path: versionDir(model, version),
      manifest: judged.manifest,
      probe: report,
      unproved: judged.unproved,
      rows: judged.rows,
    };
    this.#keeper.edit((models) => withEntry(models, model, entry));
    log.info({ model, version, digest: judged.digest, probe: report }, `${model}/${version} is available.`);
  }

  unavailable(
    model: string,
    { version, kind, fingerprint }: VersionView,
    before: CatalogVersion | undefined,
    { reasons, digest }: Outcome & { ok: false },
  ): void {
    const { clock, random, log, config } = this.#services;
    const judgedBy = judgedByOf(config);
    const unsettled = { version, bare: kind === 'bare', fingerprint, digest, reasons, judgedBy };
    const entry = settleUnavailable(unsettled, before, clock.now(), random());
    this.#keeper.edit((models) => withEntry(models, model, entry));
    if (before?.state === entry.state && before.since === entry.since) return;
    for (const { code, message } of reasons) {
      const facts = { model, version, digest, code, state: entry.state, retryAt: entry.retryAt };
      log.warn(facts, `${model}/${version} is ${entry.state}: ${message}`);
    }
  }

  incomplete(model: string, version: number, fingerprint: string): void {
    const since = isoTime(this.#services.clock.now());
    const common = { version, since, bare: false, fingerprint, reasons: [], attempts: 0 };
    this.#keeper.edit((models) => withEntry(models, model, { ...common, state: 'incomplete' }));
  }

  /** An available one was looked at again: what differs in the bucket now, if anything. */
  rechecked(model: string, version: number, view: VersionView, warnings: readonly Refusal[]): void {
    this.#keeper.edit((models) => {
      const current = entryOf(models, model, version);
      if (!current || !isAvailable(current)) return models;
      const { warnings: _before, ...rest } = current;
      const checked = { ...rest, fingerprint: view.fingerprint, bare: view.kind === 'bare' };
      return withEntry(models, model, warnings.length > 0 ? { ...checked, warnings: [...warnings] } : checked);
    });
    for (const { code, message } of warnings) this.#services.log.warn({ model, version, code }, message);
  }
}
