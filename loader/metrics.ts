import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { isAvailable } from '../contract/catalog.ts';
import type { Models } from './catalog-edit.ts';

/** More versions than this are not told one by one: a metric must not grow with what people drop into a bucket. */
const MAX_SERIES = 500;

/** All metrics of the loader, in a registry of their own. */
export class LoaderMetrics {
  readonly registry = new Registry();
  readonly catalogGeneration = this.#gauge('catalog_generation', 'Generation of the catalog on the volume');
  readonly indexGeneration = this.#gauge('index_generation', 'Generation of the newest index of the bucket');
  readonly syncs = new Counter({
    name: 'kedge_loader_syncs_total',
    help: 'Looks at the bucket, by result: success, error',
    labelNames: ['result'] as const,
    registers: [this.registry],
  });
  readonly lastSuccess = this.#gauge('last_success_timestamp_seconds', 'When the bucket was last looked at in full');
  readonly bucketReachable = this.#gauge('bucket_reachable', '1 while the bucket answers');
  readonly lockHeld = this.#gauge('lock_held', '1 while this loader holds the lock of the volume');
  readonly state = new Gauge({
    name: 'kedge_loader_state',
    help: '1 for the state that the loader is in',
    labelNames: ['state'] as const,
    registers: [this.registry],
  });
  readonly problems = new Gauge({
    name: 'kedge_loader_problems',
    help: '1 for each thing that is wrong with the bucket or the volume now',
    labelNames: ['problem', 'code'] as const,
    registers: [this.registry],
  });
  readonly fetchBytes = new Counter({
    name: 'kedge_loader_fetch_bytes_total',
    help: 'Bytes of model files that came from the bucket',
    registers: [this.registry],
  });
  readonly fetchRetries = new Counter({
    name: 'kedge_loader_fetch_retries_total',
    help: 'Transfers that broke off and were taken up again',
    registers: [this.registry],
  });
  readonly probeSeconds = new Histogram({
    name: 'kedge_loader_probe_seconds',
    help: 'Time of a probe, by result: passed, refused',
    labelNames: ['result'] as const,
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
    registers: [this.registry],
  });
  readonly volumeFreeBytes = this.#gauge('volume_free_bytes', 'Free space on the volume');
  readonly #versions = new Gauge({
    name: 'kedge_loader_versions',
    help: 'Versions in the catalog, by state',
    labelNames: ['state'] as const,
    registers: [this.registry],
  });
  readonly #refusals = new Gauge({
    name: 'kedge_loader_refusals',
    help: '1 for each reason why a version is not served, or why a served one differs from what the bucket has now',
    labelNames: ['model', 'version', 'code'] as const,
    registers: [this.registry],
  });
  readonly #refusalsLeftOut = this.#gauge('refusals_left_out', 'Reasons beyond those that kedge_loader_refusals names');

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Brings the gauges of versions in step with the catalog. */
  showCatalog(models: Models): void {
    this.#versions.reset();
    this.#refusals.reset();
    let reasons = 0;
    for (const { name: model, versions } of models) {
      for (const entry of versions) {
        this.#versions.inc({ state: entry.state });
        const told = isAvailable(entry) ? (entry.warnings ?? []) : entry.reasons;
        for (const { code } of told)
          if (++reasons <= MAX_SERIES) this.#refusals.set({ model, version: entry.version, code }, 1);
      }
    }
    this.#refusalsLeftOut.set(Math.max(0, reasons - MAX_SERIES));
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name: `kedge_loader_${name}`, help, registers: [this.registry] });
  }
}
