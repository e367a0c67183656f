import { isAvailable } from '../../contract/catalog.ts';
import type { Refusal } from '../../contract/refusal.ts';
import type { ServedModel } from '../lifecycle/served-model.ts';
import { shownState } from '../lifecycle/shown-state.ts';
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
        for (const [version, codes] of reasonsOf(model)) {
          for (const code of codes) yield [labelsOf({ model: model.name, version: String(version), code }), 1];
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

/** Codes against each version, each once: several inputs can be wrong in the same way, and a number can stand for other bytes than before. */
function reasonsOf(model: ServedModel): Map<number, Set<string>> {
  const reasons = new Map<number, Set<string>>();
  const add = (version: number, told: readonly Refusal[]): void => {
    const codes = reasons.get(version) ?? new Set();
    reasons.set(version, codes);
    for (const { code } of told) codes.add(code);
  };
  for (const { version, reasons: told } of model.versions) add(version, told);
  const served = new Set(reasons.keys());
  for (const one of model.catalog.versions)
    if (!served.has(one.version) && !isAvailable(one)) add(one.version, one.reasons);
  return reasons;
}
