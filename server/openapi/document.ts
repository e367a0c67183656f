import { KEDGE_VERSION } from '../../contract/version.ts';
import type { ServedModel } from '../lifecycle/served-model.ts';
import { ANSWERS, type AnswerName, type FailureStatus, failureComponents } from './answers.ts';
import { type EstimatorOf, partOf } from './model-part.ts';
import { getOperation, HEADERS, type Operation, PARAMETERS, type Paths } from './operations.ts';
import type { Schema } from './schemas.ts';

export interface DocumentFacts {
  models: Iterable<ServedModel>;
  /** The estimator of that name, if this server has it. */
  estimator: EstimatorOf;
  /** Tokens are asked for. */
  guarded: boolean;
  /** With what the admin port has beyond the other. */
  admin: boolean;
}

/** Parts of models that are made in one turn of the loop: each takes a good part of a millisecond, and requests wait meanwhile. */
const PARTS_A_TURN = 4;

/**
 * The text of the OpenAPI 3.1 document of what answers now: one schema for each model, with its real tensors or its domain rows.
 * @param turn lets others go first
 */
export async function writeDocument(facts: DocumentFacts, turn: () => Promise<unknown>): Promise<string> {
  const models = [...facts.models].sort((a, b) => (a.name < b.name ? -1 : 1));
  const [tags, paths, schemas] = [[JSON.stringify({ name: 'server' })], [inner(serverPaths(facts))], [inner(ANSWERS)]];
  let made = 0;
  for (const model of models) {
    const part = partOf(model, facts, () => {
      made += 1;
    });
    if (part) {
      tags.push(part.tag);
      paths.push(part.paths);
      schemas.push(part.schemas);
    }
    if (made === PARTS_A_TURN) {
      made = 0;
      await turn();
    }
  }
  const components = inner({
    responses: failureComponents(),
    headers: HEADERS,
    parameters: PARAMETERS,
    ...(facts.guarded && { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } }),
  });
  return `{${inner(ABOUT)},"tags":[${tags.join()}],"paths":{${paths.join()}},"components":{${components},"schemas":{${schemas.join()}}}}`;
}

const ABOUT = {
  openapi: '3.1.0',
  info: {
    title: 'Kedge',
    version: KEDGE_VERSION,
    description:
      'Predictions by tensor (Open Inference Protocol v2) and by row. This document is made of the models that answer now.',
  },
  servers: [{ url: '/' }],
};

/** An object as JSON, without its braces. */
function inner(object: object): string {
  return JSON.stringify(object).slice(1, -1);
}

function serverPaths({ admin, guarded }: DocumentFacts): Paths {
  const get = (
    operationId: string,
    summary: string,
    answer: AnswerName,
    statuses?: readonly FailureStatus[],
  ): Record<string, Operation> => ({ get: getOperation('server', operationId, summary, answer, statuses) });
  return {
    '/v2': get('server', 'The server and the protocol extensions that it has', 'Server'),
    '/v2/health/live': get('live', 'Whether the process answers', 'Live'),
    '/v2/health/ready': get('ready', 'Whether predictions can be answered', 'Ready', [503]),
    '/v2/models': get('models', 'The models that are known', 'Models'),
    '/v2/models/stats': get('stats', 'What each model was asked, and where its time went', 'Statistics'),
    '/v1/models': get('v1-models', 'The models that are known', 'Models'),
    '/v2/repository/index': {
      post: {
        ...getOperation('server', 'repository-index', 'Every version of every model', 'Index', [400, 413]),
        requestBody: options({ ready: { type: ['boolean', 'null'], description: 'Only those that answer.' } }),
      },
    },
    ...(admin && {
      '/v2/repository/models/{model}/load': change('load', 'Look at the volume, and try again what failed', guarded),
      '/v2/repository/models/{model}/unload': change('unload', 'Take a model off this server', guarded),
    }),
  };
}

function change(verb: 'load' | 'unload', summary: string, guarded: boolean): Record<string, Operation> {
  const post = {
    ...getOperation('server', `repository-${verb}`, summary, 'Changed', [
      400,
      ...(guarded ? ([401] as const) : []),
      ...([403, 404, 413, 503] as const),
    ]),
    ...(guarded && { security: [{ token: [] }] }),
    parameters: [{ name: 'model', in: 'path', required: true, schema: { type: 'string' } }],
    requestBody: options({ parameters: { type: ['object', 'null'] } }),
  };
  return { post };
}

/** A body that may be left out. */
function options(properties: Record<string, Schema>): object {
  return { required: false, content: { 'application/json': { schema: { type: 'object', properties } } } };
}
