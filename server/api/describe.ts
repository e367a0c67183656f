import { type CatalogVersion, isAvailable } from '../../contract/catalog.ts';
import { isoTime } from '../../platform/clock.ts';
import type { ServedModel } from '../lifecycle/served-model.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';

/** What Triton calls a model that onnxruntime runs. */
export const PLATFORM = 'onnxruntime_onnx';

/** Metadata of the Open Inference Protocol. Optional inputs and outputs that cannot be served are marked beyond it. */
export function describeModel(model: ServedModel, { signature }: ServedVersion): object {
  const ready = model.versions.filter((one) => one.isReady).map(({ version }) => version);
  const { inputs, outputs, omittedOutputs = [] } = signature;
  return {
    name: model.name,
    versions: [...new Set(ready)].sort((a, b) => b - a).map(String),
    platform: PLATFORM,
    inputs,
    outputs,
    ...(omittedOutputs.length > 0 && { parameters: { omitted_outputs: omittedOutputs } }),
  };
}

/** Every known version with what became of it, newest first. */
export function describeVersions(model: ServedModel): object {
  const numbers = new Set([...model.versions, ...model.catalog.versions].map(({ version }) => version));
  return {
    name: model.name,
    active: model.active ? String(model.active.version) : null,
    versions: [...numbers].sort((a, b) => b - a).map((number) => describeVersion(model, number)),
  };
}

function describeVersion(model: ServedModel, number: number): object {
  const listed = model.catalog.versions.find(({ version }) => version === number);
  const served = model.find(number);
  return served ? describeServed(served, listed) : describeListed(listed!);
}

function describeServed(served: ServedVersion, listed: CatalogVersion | undefined): object {
  const { version, state, digest, reasons, placement, history, retryAt, loadMs } = served;
  return {
    version: String(version),
    state: shownState(state),
    since: isoTime(history.at(-1)!.at),
    digest,
    reasons,
    ...warningsOf(listed),
    placement,
    ...(loadMs !== undefined && { loadMs }),
    ...(retryAt !== undefined && { retryAt: isoTime(retryAt) }),
    history: history.map((entry) => ({ state: shownState(entry.state), since: isoTime(entry.at) })),
  };
}

function describeListed(listed: CatalogVersion): object {
  const { version, state, since, digest } = listed;
  const base = { version: String(version), state, since, ...(digest !== undefined && { digest }) };
  if (isAvailable(listed)) return { ...base, reasons: [] };
  return { ...base, reasons: listed.reasons, ...(listed.retryAt !== undefined && { retryAt: listed.retryAt }) };
}

/** What is wrong with the version in the bucket now, although the copy here serves. */
function warningsOf(listed: CatalogVersion | undefined): { warnings?: object } {
  const warnings = listed === undefined ? [] : isAvailable(listed) ? (listed.warnings ?? []) : listed.reasons;
  return warnings.length > 0 ? { warnings } : {};
}

/** To a user, a version that is there and not loaded is available. */
export function shownState(state: ServedVersion['state']): string {
  return state === 'discovered' ? 'available' : state;
}
