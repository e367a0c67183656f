import { collectDefaultMetrics, Registry } from 'prom-client';
import { KEDGE_VERSION } from '../contract/version.ts';
import { gauge } from './metrics/exposition.ts';
import { registerModels } from './metrics/models.ts';
import { registerRequests } from './metrics/requests.ts';
import { type MetricsSource, type View, viewOf } from './metrics/source.ts';
import { registerTriton } from './metrics/triton.ts';

/** The metrics of the server, in the text format of Prometheus. */
export interface Metrics {
  readonly contentType: string;
  scrape(): Promise<string>;
}

/** All metrics of the server, in a registry of their own. What each counts is kept by those who know it, and looked at when asked for. */
export function createMetrics(source: MetricsSource): Metrics {
  const registry = new Registry();
  let view: View;
  const current = (): View => view;
  collectDefaultMetrics({ register: registry });
  registerRequests(registry, source, current);
  registerModels(registry, source, current);
  registerTriton(registry, source, current);
  gauge(registry, 'kedge_ready', 'Whether the server is ready', [], (add) => add({}, Number(source.isReady())));
  gauge(registry, 'kedge_catalog_readable', 'Whether the catalog on the volume can be read now', [], (add) =>
    add({}, Number(source.catalogReadable())),
  );
  gauge(registry, 'kedge_build_info', 'The release of Kedge', ['version'], (add) => add({ version: KEDGE_VERSION }, 1));
  return {
    contentType: registry.contentType,
    scrape: () => {
      view = viewOf(source);
      return registry.metrics();
    },
  };
}
