import { isAvailable } from '../../contract/catalog.ts';
import { shownState } from '../api/describe.ts';
import type { ServedModel } from '../lifecycle/served-model.ts';
import { type Family, gauge, labelsOf, type Sample } from './exposition.ts';
import type { MetricsSource, View } from './source.ts';

/** What became of versions, and what they take. */
export function modelMetrics({ memory, memoryOf }: MetricsSource, view: () => View): Family[] {
  const { budgetBytes } = memory();
  return [
    gauge('kedge_model_state', '1 for the state that each known version is in', function* (): Iterable<Sample> {
      for (const model of view().models) {
        for (const [version, state] of statesOf(model)) {
          yield [labelsOf({ model: model.name, version: String(version), state }), 1];
        }
      }
    }),
    gauge('kedge_model_refused', '1 for each reason why a version does not serve', function* (): Iterable<Sample> {
      for (const model of view().models) {
        for (const [version, code] of reasonsOf(model)) {
          yield [labelsOf({ model: model.name, version: String(version), code }), 1];
        }
      }
    }),
    gauge('kedge_active_version', 'The version that answers unversioned requests', function* (): Iterable<Sample> {
      for (const { name, active } of view().models) if (active) yield [labelsOf({ model: name }), active.version];
    }),
    gauge('kedge_model_load_seconds', 'Time that the last load and warm-up took', function* (): Iterable<Sample> {
      for (const { labels, served } of view().versions) {
        if (served.loadMs !== undefined) yield [labels, served.loadMs / 1_000];
      }
    }),
    gauge('kedge_model_memory_bytes', 'Memory that a loaded version takes', function* (): Iterable<Sample> {
      for (const { labels, served } of view().versions) {
        const bytes = memoryOf(served);
        if (bytes !== undefined) yield [labels, bytes];
      }
    }),
    gauge('kedge_memory_taken_bytes', 'Memory that all versions together take', () => [['', memory().takenBytes]]),
    ...(budgetBytes === undefined
      ? []
      : [gauge('kedge_memory_budget_bytes', 'Memory that all versions together may take', () => [['', budgetBytes]])]),
  ];
}

function statesOf(model: ServedModel): Map<number, string> {
  const states = new Map<number, string>(model.catalog.versions.map(({ version, state }) => [version, state]));
  for (const { version } of model.versions) states.set(version, shownState(model.find(version)!.state));
  return states;
}

function reasonsOf(model: ServedModel): [number, string][] {
  const served = new Set(model.versions.map(({ version }) => version));
  const listed = model.catalog.versions.filter(({ version }) => !served.has(version));
  return [
    ...model.versions.flatMap(({ version, reasons }) => reasons.map(({ code }): [number, string] => [version, code])),
    ...listed.flatMap((one) =>
      isAvailable(one) ? [] : one.reasons.map(({ code }): [number, string] => [one.version, code]),
    ),
  ];
}
