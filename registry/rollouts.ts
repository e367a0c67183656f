import { compareSignatures } from '../contract/admission/signature.ts';
import { KedgeError } from '../contract/errors.ts';
import { checkModelName } from '../contract/names.ts';
import { isRetired, type Rollout } from '../contract/rollout.ts';
import { type ScannedModel, scanKnownModel, versionOf } from './bucket-scan.ts';
import type { WriteOptions } from './documents.ts';
import type { ObjectStore } from './object-store.ts';
import { changeRollout, readRollout } from './rollout-file.ts';
import { readContract, readFacts, signatureIfSound, signatureIn } from './version-facts.ts';

export interface RolloutChange {
  rollout: Rollout;
  /** What the caller should know. */
  notes: string[];
}

/**
 * Lets one version answer unversioned requests, newer or older. A version whose inputs or outputs break with the contract of the
 * model becomes the contract, so that later versions are held against it, also after it is unpinned.
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
  const signature = signatureIn(await readFacts(store, model, found, { signal: options.signal }));
  if (!signature)
    throw new KedgeError(
      'conflict',
      `version ${version} of ${model} cannot serve: its head cannot be read. kedge inspect ${model} ${version} says why.`,
    );
  const contract = await readContract(store, scanned, before, options.signal);
  const breaks =
    contract && contract.version !== version
      ? compareSignatures(contract.signature, signature, { model, version, contractVersion: contract.version })
      : [];
  const rollout = await changeRollout(store, model, options, (current) => {
    checkNotRetired(model, current, version);
    return { ...current, pin: version, ...(breaks.length > 0 && { contract: version }) };
  });
  const notes: string[] = [];
  if (breaks.length > 0)
    notes.push(
      `Version ${version} takes or gives something else than version ${contract!.version}. It is the contract of ${model} from now on: later versions are held against it.`,
    );
  return { rollout, notes };
}

/**
 * Lets the newest admissible version answer again. The contract stays.
 * @throws KedgeError `model-unknown`; `conflict` for a retired model
 */
export async function unpin(store: ObjectStore, model: string, options: WriteOptions): Promise<RolloutChange> {
  await scanKnownModel(store, checkModelName(model), options.signal);
  const notes: string[] = [];
  const rollout = await changeRollout(store, model, options, (current) => {
    notes.length = 0;
    checkNotRetired(model, current);
    if (current.pin === undefined) notes.push(`${model} had no pin.`);
    const { pin: _pin, ...rest } = current;
    return current.pin === undefined ? undefined : rest;
  });
  return { rollout, notes };
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
  const heir = versions === true ? undefined : await contractWithout(store, scanned, before, versions, options.signal);
  const notes: string[] = [];
  const rollout = await changeRollout(store, model, options, (current) => {
    notes.length = 0;
    const { pin: pinned, contract, ...rest } = current;
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
  for (const found of contract ? scanned.versions.values() : []) {
    if (versions.includes(found.version) || isRetired(rollout, found.version) || found.kind === 'incomplete') continue;
    const signature = await signatureIfSound(store, scanned.model, found, signal);
    if (signature && compareSignatures(contract!.signature, signature).length === 0) return found.version;
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
