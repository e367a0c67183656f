import { setImmediate } from 'node:timers/promises';
import { KEDGE_VERSION } from '../contract/version.ts';
import { expose, type Family, gauge } from './metrics/exposition.ts';
import { modelMetrics } from './metrics/models.ts';
import { processMetrics } from './metrics/process.ts';
import { requestMetrics } from './metrics/requests.ts';
import { type MetricsSource, type View, viewOf } from './metrics/source.ts';
import { tritonMetrics } from './metrics/triton.ts';

/** The metrics of the server, in the text format of Prometheus. */
export interface Metrics {
  readonly contentType: string;
  /** The text in UTF-8, made slice by slice as it is read. */
  scrape(): ReadableStream<Uint8Array>;
}

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** All metrics of the server. What each counts is kept by those who know it, and looked at when asked for. */
export function createMetrics(source: MetricsSource): Metrics {
  const ofProcess = processMetrics();
  const familiesOf = (current: () => View): Family[] => [
    gauge('kedge_ready', 'Whether the server is ready', () => [['', Number(source.isReady())]]),
    gauge('kedge_catalog_readable', 'Whether the catalog on the volume can be read now', () => [
      ['', Number(source.catalogReadable())],
    ]),
    gauge('kedge_build_info', 'The release of Kedge', () => [[`version="${KEDGE_VERSION}"`, 1]]),
    ...requestMetrics(source, current),
    ...modelMetrics(source, current),
    ...tritonMetrics(source, current),
  ];
  async function* bytes(): AsyncGenerator<Uint8Array> {
    const view = viewOf(source);
    for await (const slice of expose(
      familiesOf(() => view),
      () => setImmediate(),
    ))
      yield Buffer.from(slice);
    yield Buffer.from(await ofProcess());
  }
  return {
    contentType: CONTENT_TYPE,
    scrape: () => ReadableStream.from(bytes()),
  };
}
