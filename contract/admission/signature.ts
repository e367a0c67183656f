import type { Refusal } from '../refusal.ts';
import { describeTensor, type Signature, type TensorSpec } from '../signature.ts';

export interface CompareOptions {
  /** Name of the model and the version that wants to serve, for the remedy. */
  model?: string | undefined;
  version?: number | undefined;
  /** The version that set the contract, for the sentence. */
  contractVersion?: number | undefined;
}

type Side = 'input' | 'output';
interface Difference {
  what: string;
  expected?: string;
  found?: string;
}

/**
 * One `signature-contract` refusal for each difference that would break a client of the contract. Free dimensions may come
 * for fixed ones, never the other way round; of outputs a free dimension is a hint on either side. New outputs and new
 * optional inputs break nobody.
 */
export function compareSignatures(contract: Signature, candidate: Signature, options: CompareOptions = {}): Refusal[] {
  const { model = 'MODEL', version, contractVersion } = options;
  const owner = contractVersion === undefined ? 'of the contract' : `of version ${contractVersion}`;
  const remedy = `Publish it under a new model name, or make it an explicit rollout with \`kedge pin ${model} ${version ?? 'VERSION'}\`.`;
  return [
    ...compareSide('input', contract.inputs, candidate.inputs, owner),
    ...compareSide('output', contract.outputs, candidate.outputs, owner),
  ].map(({ what, expected, found }) => ({
    code: 'signature-contract',
    message: `${what}. ${remedy}`,
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
  }));
}

function compareSide(
  side: Side,
  wanted: readonly TensorSpec[],
  given: readonly TensorSpec[],
  owner: string,
): Difference[] {
  const byName = new Map(given.map((spec) => [spec.name, spec]));
  const known = new Set(wanted.map(({ name }) => name));
  const unknown = given.filter(({ name }) => !known.has(name));
  const renamed = new Set<TensorSpec>();
  const differences = wanted.flatMap((old): Difference[] => {
    const now = byName.get(old.name);
    if (now) return compareTensor(side, old, now, owner);
    const twin = unknown.find((spec) => !renamed.has(spec) && fits(side, old, spec));
    if (twin) renamed.add(twin);
    return [missing(side, old, twin, owner)];
  });
  if (side === 'output') return differences;
  const demands = unknown.filter((spec) => !spec.optional && !renamed.has(spec));
  return [...differences, ...demands.map((spec) => demanded(spec, owner))];
}

function missing(side: Side, old: TensorSpec, twin: TensorSpec | undefined, owner: string): Difference {
  const hint = twin ? `; ${quote(twin)} has the same datatype and shape, so it may have been renamed` : '';
  return {
    what: `The ${side} ${quote(old)} ${owner} is gone${hint}`,
    expected: named(old),
    ...(twin ? { found: named(twin) } : {}),
  };
}

function demanded(spec: TensorSpec, owner: string): Difference {
  return {
    what: `The input ${quote(spec)} is new and required, so requests that fit the inputs ${owner} would fail`,
    found: named(spec),
  };
}

function compareTensor(side: Side, old: TensorSpec, now: TensorSpec, owner: string): Difference[] {
  const differ = (what: string): Difference[] => [
    { what: `The ${side} '${old.name}' ${what}`, expected: named(old), found: named(now) },
  ];
  if (old.datatype !== now.datatype) return differ(`has the datatype ${now.datatype}; ${owner} it is ${old.datatype}`);
  if (!shapeFits(side, old.shape, now.shape)) {
    return differ(`has the shape [${now.shape}]; ${owner} it is [${old.shape}]`);
  }
  return side === 'input' && old.optional && !now.optional
    ? differ(`is required now; ${owner} it may be left out`)
    : [];
}

function fits(side: Side, old: TensorSpec, now: TensorSpec): boolean {
  return old.datatype === now.datatype && shapeFits(side, old.shape, now.shape);
}

function shapeFits(side: Side, old: readonly number[], now: readonly number[]): boolean {
  if (old.length !== now.length) return false;
  return old.every((dim, axis) => dim === now[axis] || now[axis] === -1 || (side === 'output' && dim === -1));
}

function quote(spec: TensorSpec): string {
  return `'${spec.name}' ${describeTensor(spec)}`;
}

function named(spec: TensorSpec): string {
  return `${spec.name} ${describeTensor(spec)}`;
}
