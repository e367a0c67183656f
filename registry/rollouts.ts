import { compareTerms, type Terms, termsIn } from '../contract/admission/terms.ts';
import { KedgeError } from '../contract/errors.ts';
import { checkModelName } from '../contract/names.ts';
import { isRetired, type Rollout } from '../contract/rollout.ts';
import { type ScannedModel, type ScannedVersion, scanKnownModel, versionOf } from './bucket-scan.ts';
import type { WriteOptions } from './documents.ts';
import type { ObjectStore } from './object-store.ts';
import { changeRollout, readRollout } from './rollout-file.ts';
import { readContract, readFacts, termsIfSound } from './version-facts.ts';

export interface RolloutChange {
  rollout: Rollout;
  /** What the caller should know. */
  notes: string[];
}

/**
 * Lets one version answer unversioned requests, newer or older. A version whose inputs or outputs break with the contract of the
 * model becomes the contract while it is pinned; `unpin` says what becomes of it then.
 * @throws KedgeError `model-unknown`, `version-unknown`; `conflict` for a retired or incomplete version
 */
export async function pin(
  store: ObjectStore,
  model: string,
  version: number,
  options: WriteOptions,
): Promise<RolloutChange> {
  const scanned = await scanKnownModel(store, checkModelName(model), options.signal);
  const found = versionOf(scanned, version);
  const before = await readRollout(store, model, options.signal);
  checkNotRetired(model, before, version);
  if (found.kind === 'incomplete')
    throw new KedgeError(
      'conflict',
      `version ${version} of ${model} is incomplete and cannot serve. Publish it to its end.`,
    );
  const terms = termsIn(await readFacts(store, model, found, { signal: options.signal }));
  if (!terms)
    throw new KedgeError(
      'conflict',
      `version ${version} of ${model} cannot serve: its head cannot be read. kedge inspect ${model} ${version} says why.`,
    );
  const contract = await readContract(store, scanned, before, options.signal);
  const breaks =
    contract && contract.version !== version
      ? compareTerms(contract, terms, { model, version, contractVersion: contract.version })
      : [];
  const rollout = await changeRollout(store, model, options, (current) => {
    checkNotRetired(model, current, version);
    if (breaks.length === 0) return { ...current, pin: version };
    // A second pin in a row does not forget what was before the first.
    const { contract: replaced = null, contractBefore = replaced } = current;
    return { ...current, pin: version, contract: version, contractBefore };
  });
  const notes: string[] = [];
  if (breaks.length > 0)
    notes.push(
      `Version ${version} takes or gives something else than version ${contract!.version}. It is the contract of ${model} while it is pinned: later versions are held against it. kedge unpin takes that back, unless newer versions that keep to it have come.`,
    );
  return { rollout, notes };
}

export interface UnpinOptions extends WriteOptions {
  /** The contract that the pin set stays, whoever follows it. */
  keepContract?: boolean;
}

/**
 * Lets the newest admissible version answer again. A contract that the pin set goes back to what it was before, since the pinned
 * version may never have served; it stays where a newer version that keeps to it is there, for clients have moved on.
 * @throws KedgeError `model-unknown`; `conflict` for a retired model
 */
export async function unpin(store: ObjectStore, model: string, options: UnpinOptions): Promise<RolloutChange> {
  const scanned = await scanKnownModel(store, checkModelName(model), options.signal);
  const before = await readRollout(store, model, options.signal);
  const follower =
    before?.contractBefore === undefined || options.keepContract
      ? undefined
      : await followerOf(store, scanned, before, options.signal);
  const notes: string[] = [];
  const rollout = await changeRollout(store, model, options, (current) => {
    notes.length = 0;
    checkNotRetired(model, current);
    const { pin: pinned, contract, contractBefore, ...rest } = current;
    if (pinned === undefined) {
      notes.push(`${model} had no pin.`);
      return undefined;
    }
    if (contract !== before?.contract || contractBefore !== before?.contractBefore)
      throw new KedgeError('conflict', `the contract of ${model} was changed at the same moment. Try again.`);
    if (contract === undefined || contractBefore === undefined) return contract ? { ...rest, contract } : rest;
    if (options.keepContract || follower !== undefined) {
      const why = options.keepContract ? '' : `, because version ${follower} keeps to it`;
      notes.push(`Version ${contract} stays the contract of ${model}${why}: versions with another one are refused.`);
      return { ...rest, contract };
    }
    const again = contractBefore === null ? 'the oldest version' : `version ${contractBefore}`;
    notes.push(
      `The contract of ${model} is ${again} again: versions that take or give what version ${contract} does are refused. Where version ${contract} serves already, it stays until a newer one comes. To keep its signature, pin it again, then: kedge unpin ${model} --keep-contract`,
    );
    return contractBefore === null ? rest : { ...rest, contract: contractBefore };
  });
  return { rollout, notes };
}

/** A sound version newer than the contract that takes and gives the same. */
async function followerOf(
  store: ObjectStore,
  scanned: ScannedModel,
  rollout: Rollout,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const found = rollout.contract === undefined ? undefined : scanned.versions.get(rollout.contract);
  const terms = found && termsIn(await readFacts(store, scanned.model, found, { signal }));
  if (!terms) return undefined;
  return keeperOf(
    store,
    scanned,
    terms,
    ({ version }) => version > found.version && !isRetired(rollout, version),
    signal,
  );
}

/**
 * Takes a model, or versions of it, out of service: the only way in which a serving model goes away.
 * @param versions `true` for the whole model
 * @throws KedgeError `model-unknown`, `version-unknown`; `conflict` for a pinned version
 */
export async function retire(
  store: ObjectStore,
  model: string,
  versions: true | readonly number[],
  options: WriteOptions,
): Promise<RolloutChange> {
  const scanned = await scanKnownModel(store, checkModelName(model), options.signal);
  if (versions !== true) for (const version of versions) versionOf(scanned, version);
  const before = await readRollout(store, model, options.signal);
  const heirOf = async (contract: number | null | undefined): Promise<number | undefined> =>
    versions === true || !before || typeof contract !== 'number'
      ? undefined
      : contractWithout(store, scanned, { ...before, contract }, versions, options.signal);
  const heir = await heirOf(before?.contract);
  const heirBefore = await heirOf(before?.contractBefore);
  const notes: string[] = [];
  const rollout = await changeRollout(store, model, options, (current) => {
    notes.length = 0;
    const { pin: pinned, contract, contractBefore, ...rest } = current;
    if (versions === true) return { ...current, retired: true };
    if (pinned !== undefined && versions.includes(pinned))
      throw new KedgeError(
        'conflict',
        `version ${pinned} of ${model} is pinned. Unpin it first (kedge unpin ${model}), or pin another one.`,
      );
    if (current.retired === true) {
      notes.push(`${model} is retired as a whole already.`);
      return undefined;
    }
    const retired = new Set([...(current.retired ?? []), ...versions]);
    if (remaining(scanned, retired) === 0) notes.push(`No version of ${model} is left to serve.`);
    for (const [label, version] of Object.entries(current.labels ?? {}))
      if (versions.includes(version)) notes.push(`The label ${label} still points at version ${version}.`);
    const kept = contract !== undefined && versions.includes(contract) ? heir : contract;
    return {
      ...rest,
      ...(pinned !== undefined && { pin: pinned }),
      ...(kept !== undefined && { contract: kept }),
      ...(contractBefore !== undefined && {
        contractBefore: versions.includes(contractBefore ?? 0) ? (heirBefore ?? null) : contractBefore,
      }),
      retired: [...retired].sort((a, b) => a - b),
    };
  });
  return { rollout, notes };
}

/** The oldest version left that keeps the contract, where the rollout names one that is about to be retired. */
async function contractWithout(
  store: ObjectStore,
  scanned: ScannedModel,
  rollout: Rollout | undefined,
  versions: readonly number[],
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  if (rollout?.contract === undefined || !versions.includes(rollout.contract)) return undefined;
  const contract = await readContract(store, scanned, rollout, signal);
  const left = ({ version }: ScannedVersion): boolean => !versions.includes(version) && !isRetired(rollout, version);
  return contract && keeperOf(store, scanned, contract, left, signal);
}

/** The oldest sound version among the eligible ones that does not break with `wanted`. */
async function keeperOf(
  store: ObjectStore,
  { model, versions }: ScannedModel,
  wanted: Terms,
  eligible: (found: ScannedVersion) => boolean,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  for (const found of versions.values()) {
    if (found.kind === 'incomplete' || !eligible(found)) continue;
    const terms = await termsIfSound(store, model, found, signal);
    if (terms && compareTerms(wanted, terms).length === 0) return found.version;
  }
  return undefined;
}

function remaining(scanned: ScannedModel, retired: ReadonlySet<number>): number {
  return [...scanned.versions.values()].filter(({ version, kind }) => kind !== 'incomplete' && !retired.has(version))
    .length;
}

/**
 * Brings back what was retired, as long as gc has not removed its files.
 * @param versions `true` for the model and every version of it
 * @throws KedgeError `model-unknown`, `version-unknown`; `conflict` for versions of a model that is retired as a whole
 */
export async function unretire(
  store: ObjectStore,
  model: string,
  versions: true | readonly number[],
  options: WriteOptions,
): Promise<RolloutChange> {
  const scanned = await scanKnownModel(store, checkModelName(model), options.signal);
  if (versions !== true) for (const version of versions) versionOf(scanned, version);
  const rollout = await changeRollout(store, model, options, (current) => {
    const { retired, ...rest } = current;
    if (retired === undefined) return undefined;
    if (versions === true) return rest;
    if (retired === true)
      throw new KedgeError(
        'conflict',
        `${model} is retired as a whole. Bring it back with: kedge retire ${model} --undo`,
      );
    const left = retired.filter((version) => !versions.includes(version));
    return left.length > 0 ? { ...rest, retired: left } : rest;
  });
  return { rollout, notes: [] };
}

/** @throws KedgeError `conflict` for a retired model, or one of the versions that is */
export function checkNotRetired(model: string, rollout: Rollout | undefined, ...versions: readonly number[]): void {
  if (rollout?.retired === true)
    throw new KedgeError('conflict', `${model} is retired. Bring it back with: kedge retire ${model} --undo`);
  const gone = versions.find((version) => isRetired(rollout, version));
  if (gone !== undefined)
    throw new KedgeError(
      'conflict',
      `version ${gone} of ${model} is retired. Bring it back with: kedge retire ${model} ${gone} --undo`,
    );
}
