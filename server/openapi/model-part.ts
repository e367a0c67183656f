import type { Estimator } from '../../contract/estimator.ts';
import { ASLEEP } from '../api/version-states.ts';
import type { ServedModel } from '../lifecycle/served-model.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import { type Alike, predictionsOf } from './predictions.ts';
import { readingsOf } from './readings.ts';

export type EstimatorOf = (name: string) => Estimator | undefined;

/** What a model adds to the document, as JSON; paths and schemas without the braces around them. */
export interface ModelPart {
  tag: string;
  paths: string;
  schemas: string;
}

interface KeptPart extends ModelPart {
  /** What it was made of besides the version. */
  of: string;
}

/** By the version that answers: many models change seldom, and the document is asked for by anybody. */
const KEPT = new WeakMap<ServedVersion, KeptPart>();

/**
 * The part of a model; undefined while none of its versions can answer. It is kept until what it is made of changes.
 * @param onMade called when it had to be made
 */
export function partOf(
  model: ServedModel,
  { estimator, guarded }: { estimator: EstimatorOf; guarded: boolean },
  onMade: () => void,
): ModelPart | undefined {
  const { name, answering } = model;
  if (!answering) return undefined;
  const others = model.able.filter((number) => number !== answering.version);
  const versions = [answering, ...others.map((number) => model.find(number)!)];
  const asleep = answering.isReady ? '' : `, ${ASLEEP}`;
  const labels = Object.entries(model.rollout?.labels ?? {});
  const of = JSON.stringify([name, guarded, asleep, versions.map(({ digest }) => digest), labels]);
  const kept = KEPT.get(answering);
  if (kept?.of === of) return kept;
  const facts = { name, guarded, alike: alikeOf(versions, labels, estimator) };
  const { paths, schemas } = predictionsOf(facts);
  const part = {
    of,
    tag: JSON.stringify({ name, description: `Version ${answering.version} answers${asleep}, ${answering.digest}.` }),
    paths: JSON.stringify({ ...paths, ...readingsOf(facts) }).slice(1, -1),
    schemas: JSON.stringify(schemas).slice(1, -1),
  };
  KEPT.set(answering, part);
  onMade();
  return part;
}

/** The versions by how they are asked, those like the first one first. */
function alikeOf(
  versions: readonly ServedVersion[],
  labels: readonly (readonly [string, number])[],
  estimatorOf: EstimatorOf,
): Alike[] {
  const groups = new Map<string, Alike>();
  for (const version of versions) {
    const { signature, entry } = version;
    const { code } = entry.manifest;
    const estimator = code && estimatorOf(code.estimator);
    const key = JSON.stringify([signature, estimator?.name]);
    const group = groups.get(key) ?? { version, estimator, numbers: [], labels: [] };
    const mine = labels.filter(([, number]) => number === version.version).map(([label]) => label);
    const numbers = [...group.numbers, version.version].sort((a, b) => b - a);
    groups.set(key, { ...group, numbers, labels: [...group.labels, ...mine] });
  }
  return [...groups.values()];
}
