import { z } from 'zod';

const ROLLOUT_SCHEMA_VERSION = 1;

/** Which versions of a model should answer. Absent means: the newest admissible one. */
export const rolloutSchema = z.looseObject({
  schemaVersion: z.literal(ROLLOUT_SCHEMA_VERSION),
  /** Only this version answers unversioned requests; it may be older than the newest. */
  pin: z.int().min(1).optional(),
  /** The version whose signature is the contract of the model. Absent means: the oldest one that is left. */
  contract: z.int().min(1).optional(),
  /** The only way to take a serving model away: `true` for the model, or the versions that are gone. */
  retired: z.union([z.literal(true), z.array(z.int().min(1))]).optional(),
});

export type Rollout = z.infer<typeof rolloutSchema>;

export const EMPTY_ROLLOUT: Rollout = { schemaVersion: ROLLOUT_SCHEMA_VERSION };

export function isRetired(rollout: Rollout | undefined, version: number): boolean {
  const retired = rollout?.retired;
  return retired === true || (Array.isArray(retired) && retired.includes(version));
}

/**
 * The version that should answer unversioned requests, of those that can: the pinned one, else the newest.
 * A pinned version that cannot answer is no reason to leave the one that does, so `current` stays while it can.
 */
export function chooseActive(
  rollout: Rollout | undefined,
  able: readonly number[],
  current?: number,
): number | undefined {
  const candidates = able.filter((version) => !isRetired(rollout, version));
  if (rollout?.pin !== undefined) {
    if (candidates.includes(rollout.pin)) return rollout.pin;
    if (current !== undefined && candidates.includes(current)) return current;
  }
  return candidates.length === 0 ? undefined : Math.max(...candidates);
}
