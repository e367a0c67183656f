import type { Registry } from 'prom-client';
import { isAvailable } from '../../contract/catalog.ts';
import { shownState } from '../api/describe.ts';
import type { ServedModel } from '../lifecycle/served-model.ts';
import { gauge } from './exposition.ts';
import type { MetricsSource, View } from './source.ts';

const LABELS = ['model', 'version'] as const;

/** What became of versions, and what they take. */
export function registerModels(registry: Registry, { memory, memoryOf }: MetricsSource, view: () => View): void {
  gauge(registry, 'kedge_model_state', '1 for the state that each known version is in', [...LABELS, 'state'], (add) => {
    for (const model of view().models) {
      for (const [version, state] of statesOf(model)) add({ model: model.name, version: String(version), state }, 1);
    }
  });
  gauge(
    registry,
    'kedge_model_refused',
    '1 for each reason why a version does not serve',
    [...LABELS, 'code'],
    (add) => {
      for (const model of view().models) {
        for (const [version, code] of reasonsOf(model)) add({ model: model.name, version: String(version), code }, 1);
      }
    },
  );
  gauge(registry, 'kedge_active_version', 'The version that answers unversioned requests', ['model'], (add) => {
    for (const { name, active } of view().models) if (active) add({ model: name }, active.version);
  });
  gauge(registry, 'kedge_model_load_seconds', 'Time that the last load and warm-up took', LABELS, (add) => {
    for (const { labels, version } of view().versions) {
      if (version.loadMs !== undefined) add(labels, version.loadMs / 1_000);
    }
  });
  gauge(
    registry,
    'kedge_model_memory_bytes',
    'Memory that a loaded version takes, as far as can be told',
    LABELS,
    (add) => {
      for (const { labels, version } of view().versions) {
        const bytes = memoryOf(version);
        if (bytes !== undefined) add(labels, bytes);
      }
    },
  );
  gauge(registry, 'kedge_memory_taken_bytes', 'Memory that all versions together take', [], (add) =>
    add({}, memory().takenBytes),
  );
  const { budgetBytes } = memory();
  if (budgetBytes === undefined) return;
  gauge(registry, 'kedge_memory_budget_bytes', 'Memory that all versions together may take', [], (add) =>
    add({}, budgetBytes),
  );
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
