import { KedgeError } from '../../contract/errors.ts';
import { parseVersion } from '../../contract/names.ts';
import type { ModelTable } from '../lifecycle/model-table.ts';
import type { ServedModel } from '../lifecycle/served-model.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import { show } from './errors.ts';

/** @throws KedgeError `model-unknown`, for retired models too */
export function pickModel(table: ModelTable, name: string): ServedModel {
  const model = table.model(name);
  if (model && model.rollout?.retired !== true) return model;
  throw new KedgeError('model-unknown', `There is no model ${show(name)} here; GET /v2/models lists those that are.`);
}

/**
 * The version that answers now. Of a lazy model that nobody asked for lately, the one that will: a request for a prediction waits until
 * it is loaded, and whoever asks about it need not wait.
 * @param number as the path has it; the active one if undefined
 * @throws KedgeError `model-unknown`, `version-unknown`, `model-not-ready` with the reason
 */
export function pickVersion(table: ModelTable, name: string, number: string | undefined): ServedVersion {
  const model = pickModel(table, name);
  if (number === undefined) {
    if (model.answering) return model.answering;
    throw new KedgeError('model-not-ready', `${name} has no version that can answer now${newestReason(model)}`);
  }
  const version = parseVersion(number);
  if (version === undefined || !model.knows(version)) {
    throw new KedgeError(
      'version-unknown',
      `${name} has no version ${show(number)}; GET /v2/models/${name}/versions lists them.`,
    );
  }
  const found = model.find(version);
  if (found && model.canAnswer(found)) return found;
  throw new KedgeError(
    'model-not-ready',
    `${name} version ${version} cannot answer now: it is ${stateOf(model, version)}`,
  );
}

function newestReason(model: ServedModel): string {
  const numbers = [...model.versions, ...model.catalog.versions].map(({ version }) => version);
  const newest = Math.max(...numbers.filter((version) => !model.isRetired(version)));
  return Number.isFinite(newest) ? `: version ${newest} is ${stateOf(model, newest)}` : '.';
}

/** `refused (opset: …)`. */
function stateOf(model: ServedModel, number: number): string {
  const served = model.find(number);
  const listed = model.catalog.versions.find(({ version }) => version === number);
  const reasons = served?.reasons ?? (listed && 'reasons' in listed ? listed.reasons : []);
  const state = served ? (served.state === 'discovered' ? 'available, but not loaded' : served.state) : listed!.state;
  return reasons.length === 0
    ? `${state}.`
    : `${state} (${reasons.map(({ code, message }) => `${code}: ${message}`).join(' ')})`;
}
