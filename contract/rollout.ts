import * as z from 'zod';
import { isLabelName } from './names.ts';

const ROLLOUT_SCHEMA_VERSION = 1;

const versionNumber = z.int().min(1);

/**
 * Which versions are held ready at the same time, each to be asked for by its number: the newest n, all, or just these. The words are those
 * of Triton's `ModelVersionPolicy` and TensorFlow Serving's `ServableVersionPolicy`.
 */
const policySchema = z.union([
  z.strictObject({ latest: z.int().min(1).max(1000) }),
  z.strictObject({ all: z.literal(true) }),
  z.strictObject({ specific: z.array(versionNumber).min(1).max(1000) }),
]);

/** Which versions of a model should answer. Absent means: the newest admissible one. */
export const rolloutSchema = z.looseObject({
  schemaVersion: z.literal(ROLLOUT_SCHEMA_VERSION),
  /** Only this version answers unversioned requests; it may be older than the newest. */
  pin: versionNumber.optional(),
  /** The version whose signature is the contract of the model. Absent means: the oldest one that is left. */
  contract: versionNumber.optional(),
  /** Where a pin set `contract`: what it was before, null where it was absent. Unpinning gives it back. */
  contractBefore: versionNumber.nullable().optional(),
  /** The only way to take a serving model away: `true` for the model, or the versions that are gone. */
  retired: z.union([z.literal(true), z.array(versionNumber)]).optional(),
  /** Absent means: as many of the newest as the server is told to hold. */
  policy: policySchema.optional(),
  /** Names for versions, such as `stable` and `canary`. A version that has one is held ready whatever the policy. */
  labels: z.record(z.string().refine(isLabelName, 'is no label'), versionNumber).optional(),
  /** Loaded by the first request for it, and given up when memory is short and nobody asked for it lately. */
  lazy: z.boolean().optional(),
});

export type Rollout = z.infer<typeof rolloutSchema>;
export type VersionPolicy = z.infer<typeof policySchema>;

export const EMPTY_ROLLOUT: Rollout = { schemaVersion: ROLLOUT_SCHEMA_VERSION };

export function isRetired(rollout: Rollout | undefined, version: number): boolean {
  const retired = rollout?.retired;
  return retired === true || (Array.isArray(retired) && retired.includes(version));
}

/** The version that a label points at; undefined where there is no such label. */
export function versionOfLabel(rollout: Rollout | undefined, label: string): number | undefined {
  const labels = rollout?.labels ?? {};
  return Object.hasOwn(labels, label) ? labels[label] : undefined;
}

/** Versions that the rollout names, by pin, label or number, and has not retired: they are wanted however old they are. */
export function namedVersions(rollout: Rollout | undefined): Set<number> {
  if (!rollout) return new Set();
  const { pin, labels = {} } = rollout;
  const named = [...(pin === undefined ? [] : [pin]), ...specificOf(rollout), ...Object.values(labels)];
  return new Set(named.filter((version) => !isRetired(rollout, version)));
}

/** How many of the newest versions the policy asks for; Infinity for all of them, and 0 where it does not speak of the newest. */
export function latestOf(rollout: Rollout | undefined): number {
  const policy = rollout?.policy;
  if (!policy || 'specific' in policy) return 0;
  return 'latest' in policy ? policy.latest : Infinity;
}

/** The only versions that the policy allows; none where it allows any. */
function specificOf(rollout: Rollout | undefined): readonly number[] {
  const policy = rollout?.policy;
  return policy && 'specific' in policy ? policy.specific : [];
}

export interface ReadyOptions {
  /** How many of the newest are held ready where the rollout has no policy; a pinned one is among them. */
  keepReady: number;
  /** Those of `able` whose last load failed: they are tried again, and take nobody's place. */
  failing?: ReadonlySet<number>;
}

/**
 * The versions to hold ready, of those that can be: the pinned one, then those of the policy, newest first, then those that only
 * a label asks for.
 */
export function readyVersions(
  rollout: Rollout | undefined,
  able: readonly number[],
  { keepReady, failing }: ReadyOptions,
): number[] {
  const left = [...new Set(able)].filter((version) => !isRetired(rollout, version)).sort((a, b) => b - a);
  const pinned = left.filter((version) => version === rollout?.pin);
  const newest = left.filter((version) => version !== rollout?.pin);
  const named = namedVersions(rollout);
  const specific = specificOf(rollout);
  const taken = rollout?.policy ? 0 : pinned.filter((version) => !failing?.has(version)).length;
  let places = (rollout?.policy ? latestOf(rollout) : keepReady) - taken;
  const byPolicy = newest.filter((version) => {
    if (specific.length > 0) return specific.includes(version);
    if (places <= 0) return false;
    if (!failing?.has(version)) places -= 1;
    return true;
  });
  const chosen = new Set([...pinned, ...byPolicy, ...newest.filter((version) => named.has(version))]);
  return [...chosen];
}

/**
 * The version that should answer unversioned requests, of those that can: the pinned one, else the newest that the policy allows.
 * That none of these can answer is no reason to leave the one that does, so `current` stays while it can.
 */
export function chooseActive(
  rollout: Rollout | undefined,
  able: readonly number[],
  current?: number,
): number | undefined {
  const candidates = able.filter((version) => !isRetired(rollout, version));
  const stays = current !== undefined && candidates.includes(current) ? current : undefined;
  if (rollout?.pin !== undefined) {
    if (candidates.includes(rollout.pin)) return rollout.pin;
    if (stays !== undefined) return stays;
  }
  const specific = specificOf(rollout);
  const allowed = specific.length > 0 ? candidates.filter((version) => specific.includes(version)) : candidates;
  if (allowed.length > 0) return Math.max(...allowed);
  return stays ?? (candidates.length === 0 ? undefined : Math.max(...candidates));
}
