import { KedgeError } from '../contract/errors.ts';
import { checkLabel, checkModelName } from '../contract/names.ts';
import { type Rollout, readyVersions, type VersionPolicy } from '../contract/rollout.ts';
import { type ScannedModel, scanKnownModel, versionOf } from './bucket-scan.ts';
import type { WriteOptions } from './documents.ts';
import type { ObjectStore } from './object-store.ts';
import { changeRollout } from './rollout-file.ts';
import { checkNotRetired, type RolloutChange } from './rollouts.ts';

/** What to change of a rollout; what is absent stays. */
export interface RolloutWish {
  /** `default` takes the policy away: each server holds as many of the newest as it is told. */
  policy?: VersionPolicy | 'default' | undefined;
  /** Labels to set, each with its version. */
  labels?: Readonly<Record<string, number>> | undefined;
  /** Labels to take away. */
  unlabel?: readonly string[] | undefined;
  lazy?: boolean | undefined;
}

/**
 * Says which versions of a model are held ready, which labels they have, and whether the model is loaded lazily.
 * @throws KedgeError `name-invalid`, `model-unknown`, `version-unknown`; `conflict` for a retired model, and for a retired or
 *   incomplete version that is named
 */
export async function setRollout(
  store: ObjectStore,
  model: string,
  wish: RolloutWish,
  options: WriteOptions,
): Promise<RolloutChange> {
  const { policy, labels = {}, unlabel = [] } = wish;
  for (const label of [...Object.keys(labels), ...unlabel]) checkLabel(label);
  const scanned = await scanKnownModel(store, checkModelName(model), options.signal);
  const named = [...(isSpecific(policy) ? policy.specific : []), ...Object.values(labels)];
  for (const version of named) checkCanServe(scanned, version);
  const notes: string[] = [];
  const rollout = await changeRollout(store, model, options, (current) => {
    notes.length = 0;
    checkNotRetired(model, current, ...named);
    for (const label of unlabel)
      if (!Object.hasOwn(current.labels ?? {}, label)) notes.push(`${model} had no label ${label}.`);
    const after = changed(current, wish);
    notes.push(...notesOn(scanned, after));
    return JSON.stringify(after) === JSON.stringify(current) ? undefined : after;
  });
  return { rollout, notes };
}

function changed(current: Rollout, { policy, labels = {}, unlabel = [], lazy }: RolloutWish): Rollout {
  const { policy: policyBefore, labels: labelsBefore = {}, lazy: lazyBefore, ...rest } = current;
  const policyAfter = policy === 'default' ? undefined : (policy ?? policyBefore);
  const kept = Object.entries(labelsBefore).filter(([label]) => !unlabel.includes(label));
  const labelsAfter = { ...Object.fromEntries(kept), ...labels };
  return {
    ...rest,
    ...(policyAfter && { policy: sorted(policyAfter) }),
    ...(Object.keys(labelsAfter).length > 0 && { labels: labelsAfter }),
    ...((lazy ?? lazyBefore) && { lazy: true }),
  };
}

function sorted(policy: VersionPolicy): VersionPolicy {
  if (!isSpecific(policy)) return policy;
  return { specific: [...new Set(policy.specific)].sort((a, b) => a - b) };
}

function isSpecific(policy: VersionPolicy | 'default' | undefined): policy is { specific: number[] } {
  return typeof policy === 'object' && 'specific' in policy;
}

/** What is allowed, and perhaps not what was meant. */
function notesOn(scanned: ScannedModel, rollout: Rollout): string[] {
  const { model, versions } = scanned;
  const { pin, policy } = rollout;
  const complete = [...versions.values()].filter(({ kind }) => kind !== 'incomplete').map(({ version }) => version);
  if (pin !== undefined && policy)
    return [`${model} is pinned to version ${pin}, which answers whatever the policy; kedge unpin ${model} ends that.`];
  if (readyVersions(rollout, complete, { keepReady: 1 }).length === 0)
    return [`No version of ${model} that the policy allows can serve.`];
  return [];
}

/** @throws KedgeError `version-unknown`, `conflict` */
function checkCanServe(scanned: ScannedModel, version: number): void {
  if (versionOf(scanned, version).kind !== 'incomplete') return;
  throw new KedgeError(
    'conflict',
    `version ${version} of ${scanned.model} is incomplete and cannot serve. Publish it to its end.`,
  );
}
