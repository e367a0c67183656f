import { KedgeError } from '../../contract/errors.ts';
import { versionOfLabel } from '../../contract/rollout.ts';
import type { ModelTable } from '../lifecycle/model-table.ts';
import { answer, type Target } from './answer.ts';
import type { ApiContext, HttpContext } from './context.ts';
import { json, show } from './errors.ts';
import { pickModel, pickVersion } from './pick.ts';
import { predict } from './predict.ts';
import { responseOf } from './reply.ts';
import { param, type Routes } from './routes.ts';
import { describeMetadata, describeStatus } from './v1-describe.ts';

/** Predictions, status and metadata as TensorFlow Serving has them, and what KServe adds to them. */
export function v1Routes(context: ApiContext): Routes {
  const { table } = context;
  const call = (c: HttpContext, model: string, version: Target['version']): Promise<Response> =>
    answer(context, c.env, { model, version }, (served, body, ticket) => predict(context, served, body, ticket)).then(
      responseOf,
    );
  const status = (c: HttpContext, version?: () => string): Response => {
    // No name, version or label has a colon: what is behind one is a verb, and those are posted.
    if (c.req.path.includes(':')) throw wrongMethod(c, 'POST');
    return json(describeStatus(pickModel(table, param(c, 'model')), version?.()));
  };
  const metadata = (c: HttpContext, version?: string): Response =>
    json(describeMetadata(pickVersion(table, param(c, 'model'), version)));
  const labelled = (c: HttpContext, label: string): string => versionByLabel(table, param(c, 'model'), label);
  return {
    '/v1/models': { GET: () => json({ models: namesOf(table) }) },
    '/v1/models/:model': { GET: (c) => status(c), POST: (c) => call(c, calledOf(c, 'model'), undefined) },
    '/v1/models/:model/metadata': { GET: (c) => metadata(c) },
    '/v1/models/:model/versions/:version': {
      GET: (c) => status(c, () => param(c, 'version')),
      POST: (c) => call(c, param(c, 'model'), calledOf(c, 'version')),
    },
    '/v1/models/:model/versions/:version/metadata': { GET: (c) => metadata(c, param(c, 'version')) },
    '/v1/models/:model/labels/:label': {
      GET: (c) => status(c, () => labelled(c, param(c, 'label'))),
      POST: (c) => {
        const label = calledOf(c, 'label');
        return call(c, param(c, 'model'), () => labelled(c, label));
      },
    },
    '/v1/models/:model/labels/:label/metadata': { GET: (c) => metadata(c, labelled(c, param(c, 'label'))) },
  };
}

/** Names of the models that are not retired, those that cannot answer among them. */
export function namesOf(table: ModelTable): string[] {
  const known = [...table.models()].filter((model) => model.rollout?.retired !== true);
  return known.map(({ name }) => name).sort();
}

/** @throws KedgeError `model-unknown`; `version-unknown` where there is no such label; `model-not-ready` where what it points at is not here */
function versionByLabel(table: ModelTable, name: string, label: string): string {
  const model = pickModel(table, name);
  const version = versionOfLabel(model.rollout, label);
  if (version !== undefined && !model.knows(version)) {
    const why = model.isRetired(version) ? 'is retired' : 'is not here';
    throw new KedgeError(
      'model-not-ready',
      `The label ${label} of ${name} points at version ${version}, which ${why}.`,
    );
  }
  if (version !== undefined) return String(version);
  throw new KedgeError('version-unknown', `${name} has no label ${show(label)}; kedge rollout sets labels.`);
}

/** What stands before `:predict`. @throws KedgeError `route-unknown` for other verbs, `method-not-allowed` where there is none */
function calledOf(c: HttpContext, name: string): string {
  const call = param(c, name);
  const colon = call.lastIndexOf(':');
  if (colon < 0) throw wrongMethod(c, 'GET, HEAD', ' Predictions are at /v1/models/{model}:predict.');
  const verb = call.slice(colon);
  if (verb === ':predict') return call.slice(0, colon);
  throw new KedgeError('route-unknown', `There is nothing at ${show(c.req.path)}; ${adviceOn(verb)}`);
}

function wrongMethod(c: HttpContext, allow: string, advice = ''): KedgeError {
  const message = `${c.req.path} takes ${allow}, not ${c.req.raw.method}.${advice}`;
  return new KedgeError('method-not-allowed', message, { details: { allow } });
}

function adviceOn(verb: string): string {
  if (verb === ':classify' || verb === ':regress') {
    return `${verb} takes tf.Example, which ONNX models do not: use :predict, or /v2 with the classification of an output.`;
  }
  return 'the form is /v1/models/{model}:predict.';
}
