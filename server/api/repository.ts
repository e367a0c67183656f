import { KedgeError } from '../../contract/errors.ts';
import { readyVersions } from '../../contract/rollout.ts';
import type { ModelTable } from '../lifecycle/model-table.ts';
import type { ServedModel } from '../lifecycle/served-model.ts';
import type { ApiContext, HttpContext } from './context.ts';
import { json, show } from './errors.ts';
import { readFlag, readParameters } from './parameters.ts';
import { invalid } from './parse.ts';
import { param, type Routes, readOptions } from './routes.ts';
import { ASLEEP, canAnswer, numbersOf, type StateOfVersion, sentenceOf, stateOf } from './version-states.ts';

/** Acts on what this server holds. Neither writes the volume. */
export interface RepositoryControl {
  /**
   * Reads the catalog again, tries what was refused or failed here again, and loads a lazy model; resolves once nothing of the model is
   * on its way.
   */
  load(model: string): Promise<void>;
  /** Takes the model off this server until it is loaded or the server starts again. */
  unload(model: string): Promise<void>;
}

/** Words of the repository extension for the states of a version that cannot answer; what is not here is UNAVAILABLE. */
const STATES: Partial<Record<string, string>> = {
  loading: 'LOADING',
  warming: 'LOADING',
  draining: 'UNLOADING',
};

/** The index, which only reads: on both ports. */
export function indexRoutes(context: ApiContext): Routes {
  const index = async (c: HttpContext): Promise<Response> => {
    const onlyReady = readFlag(await readOptions(c, context), 'ready');
    const entries = indexOf(context.table);
    return json(onlyReady ? entries.filter(({ state }) => state === 'READY') : entries);
  };
  return { '/v2/repository/index': { POST: index } };
}

/** Load and unload: on the admin port. */
export function controlRoutes(context: ApiContext, control: RepositoryControl): Routes {
  const load = async (c: HttpContext): Promise<Response> => {
    refuseFiles(await readOptions(c, context));
    const name = param(c, 'model');
    await control.load(name);
    const problem = problemOf(knownModel(context.table, name));
    if (problem !== undefined) throw new KedgeError('model-not-ready', problem);
    context.log.info({ model: name }, `${name} was loaded by request`);
    return json({ name, load: true });
  };
  const unload = async (c: HttpContext): Promise<Response> => {
    readParameters((await readOptions(c, context))['parameters'], 'The request');
    const { name } = knownModel(context.table, param(c, 'model'));
    await control.unload(name);
    context.log.info({ model: name }, `${name} was unloaded by request`);
    return json({ name, unload: true });
  };
  return {
    '/v2/repository/models/:model/load': { POST: load },
    '/v2/repository/models/:model/unload': { POST: unload },
  };
}

/** A model that the volume has and that is not retired, unloaded or not. @throws KedgeError `model-unknown` */
function knownModel(table: ModelTable, name: string): ServedModel {
  const model = table.model(name);
  if (model && model.catalog.rollout?.retired !== true) return model;
  throw new KedgeError(
    'model-unknown',
    `There is no model ${show(name)} on the volume; POST /v2/repository/index lists them.`,
  );
}

/** What a client would bring along to load comes from the bucket here, and from nowhere else. */
function refuseFiles({ parameters }: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(readParameters(parameters, 'The request'))) {
    if (name === 'config') {
      throw invalid('config cannot be given to load: a version is what its manifest and its graph say.');
    }
    if (name.startsWith('file:')) {
      throw invalid('Files cannot be given to load: publish a version to the bucket, and the loader brings it here.');
    }
  }
}

interface IndexEntry {
  name: string;
  version: string;
  state: string;
  reason: string;
}

function indexOf(table: ModelTable): IndexEntry[] {
  const models = [...table.models()].filter((model) => model.catalog.rollout?.retired !== true || model.active);
  models.sort((a, b) => (a.name < b.name ? -1 : 1));
  return models.flatMap((model) =>
    numbersOf(model)
      .reverse()
      .map((number) => {
        const of = stateOf(model, number);
        const able = canAnswer(model, number);
        const state = able ? 'READY' : (STATES[of.state] ?? 'UNAVAILABLE');
        const asleep = of.state === 'ready' ? '' : ASLEEP;
        return { name: model.name, version: String(number), state, reason: able ? asleep : reasonOf(model, of) };
      }),
  );
}

function reasonOf(model: ServedModel, { state, reasons }: StateOfVersion): string {
  if (STATES[state]) return '';
  if (reasons.length > 0) return sentenceOf(reasons);
  if (model.unloaded || state === 'released') return 'unloaded';
  return state === 'incomplete' ? 'its manifest is not there yet' : 'not among the versions that are held ready';
}

/**
 * Why a model that was told to load cannot answer as wished; undefined if it does. Versions are looked at in the order in which the rollout wants
 * them to answer: the pinned one, then the newest of the policy. The first that was tried decides.
 */
function problemOf(model: ServedModel): string | undefined {
  const numbers = numbersOf(model).filter((number) => stateOf(model, number).state !== 'incomplete');
  const wanted = readyVersions(model.rollout, numbers, { keepReady: Infinity });
  for (const number of wanted) {
    const { state, reasons } = stateOf(model, number);
    if (state === 'ready') return undefined;
    if (state !== 'refused' && state !== 'failed') continue;
    const still = model.active ? ` Version ${model.active.version} answers.` : '';
    return `${model.name} version ${number} is ${state} (${sentenceOf(reasons)}).${still}`;
  }
  // None of those that are wanted is here, and another one answers until then.
  if (model.active) return undefined;
  return wanted.length > 0
    ? `${model.name} version ${wanted[0]} is still to be loaded; try again.`
    : `${model.name} has no version that can be loaded.`;
}
