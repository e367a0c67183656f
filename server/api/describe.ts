import { type CatalogVersion, isAvailable } from '../../contract/catalog.ts';
import { EMPTY_ROLLOUT } from '../../contract/rollout.ts';
import { isoTime } from '../../platform/clock.ts';
import { judgeUnfit } from '../lifecycle/judge-load.ts';
import type { ModelTable } from '../lifecycle/model-table.ts';
import type { ServedModel } from '../lifecycle/served-model.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import { shownState } from '../lifecycle/shown-state.ts';
import { describeMerging, judgeRows } from '../placement.ts';

/** What Triton calls a model that onnxruntime runs. */
export const PLATFORM = 'onnxruntime_onnx';

/** Metadata of the Open Inference Protocol. Optional inputs and outputs that cannot be served are marked beyond it. */
export function describeModel(model: ServedModel, { signature }: ServedVersion): object {
  const { inputs, outputs, omittedOutputs = [] } = signature;
  return {
    name: model.name,
    versions: model.able.map(String),
    platform: PLATFORM,
    inputs,
    outputs,
    ...(omittedOutputs.length > 0 && { parameters: { omitted_outputs: omittedOutputs } }),
  };
}

/**
 * What the rollout asks for, and every known version with what became of it, newest first: its state and why, where it runs and why, whether
 * its rows are merged with those of others and why, what it takes, and the states that it was in of late.
 */
export function describeVersions(model: ServedModel, { memoryOf }: Pick<ModelTable, 'memoryOf'>): object {
  const numbers = new Set([...model.versions, ...model.catalog.versions].map(({ version }) => version));
  return {
    name: model.name,
    active: model.active ? String(model.active.version) : null,
    ...describeRollout(model),
    versions: [...numbers].sort((a, b) => b - a).map((number) => describeVersion(model, number, memoryOf)),
  };
}

function describeRollout({ rollout }: ServedModel): object {
  const { pin, policy, labels, lazy } = rollout ?? EMPTY_ROLLOUT;
  const named = Object.entries(labels ?? {}).map(([label, version]) => [label, String(version)]);
  return {
    ...(pin !== undefined && { pin: String(pin) }),
    ...(policy && { policy: 'specific' in policy ? { specific: policy.specific.map(String) } : policy }),
    ...(named.length > 0 && { labels: Object.fromEntries(named) }),
    ...(lazy && { lazy }),
  };
}

function describeVersion(model: ServedModel, number: number, memoryOf: ModelTable['memoryOf']): object {
  const listed = model.catalog.versions.find(({ version }) => version === number);
  const served = model.find(number);
  return served ? describeServed(served, listed, memoryOf(served)) : describeListed(listed!);
}

function describeServed(
  served: ServedVersion,
  listed: CatalogVersion | undefined,
  memoryBytes: number | undefined,
): object {
  const { version, state, digest, reasons, placement, merging, entry, history, retryAt, loadMs } = served;
  return {
    version: String(version),
    state: shownState(state),
    since: isoTime(history.at(-1)!.at),
    digest,
    reasons,
    ...warningsOf(served, listed),
    placement,
    merging: describeMerging(judgeRows(entry), merging),
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(loadMs !== undefined && { loadMs }),
    ...(retryAt !== undefined && { retryAt: isoTime(retryAt) }),
    history: history.map(({ state: was, at, codes }) => ({
      state: shownState(was),
      since: isoTime(at),
      ...(codes && { codes }),
    })),
  };
}

function describeListed(listed: CatalogVersion): object {
  const { version, state, since, digest } = listed;
  const base = { version: String(version), state, since, ...(digest !== undefined && { digest }) };
  if (isAvailable(listed)) return { ...base, reasons: [] };
  return { ...base, reasons: listed.reasons, ...(listed.retryAt !== undefined && { retryAt: listed.retryAt }) };
}

/** What is wrong although it serves: with the version in the bucket now, or with its process. */
function warningsOf({ state, unfit }: ServedVersion, listed: CatalogVersion | undefined): { warnings?: object } {
  const inBucket = listed === undefined ? [] : isAvailable(listed) ? (listed.warnings ?? []) : listed.reasons;
  const warnings = [...inBucket, ...(unfit && state === 'ready' ? judgeUnfit(unfit) : [])];
  return warnings.length > 0 ? { warnings } : {};
}
