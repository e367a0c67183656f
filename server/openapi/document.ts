import type { Estimator } from '../../contract/estimator.ts';
import { KEDGE_VERSION } from '../../contract/version.ts';
import type { ServedModel } from '../lifecycle/served-model.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import { ANSWERS, type AnswerName, type FailureStatus, failureComponents, failures } from './answers.ts';
import { domainExample, inferExample, rowsExample } from './examples.ts';
import {
  inferRequestSchema,
  inferResponseSchema,
  predictRequestSchema,
  rowSchema,
  type Schema,
  tensorRowSchema,
} from './schemas.ts';

export interface DocumentFacts {
  models: Iterable<ServedModel>;
  /** The estimator of that name, if this server has it. */
  estimator: (name: string) => Estimator | undefined;
  /** Tokens are asked for. */
  guarded: boolean;
  /** With what the admin port has beyond the other. */
  admin: boolean;
}

type Operation = Readonly<Record<string, unknown>>;
type Paths = Record<string, Record<string, Operation>>;

/** The OpenAPI 3.1 document of what answers now: one schema for each model, with its real tensors or its domain rows. */
export function openApiDocument(facts: DocumentFacts): object {
  const schemas: Record<string, Schema> = { ...ANSWERS };
  const paths: Paths = serverPaths(facts);
  const tags: object[] = [{ name: 'server' }];
  const models = [...facts.models].filter(({ active }) => active !== undefined);
  models.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const model of models) {
    const { active } = model;
    if (!active) continue;
    tags.push({ name: model.name, description: `Version ${active.version} answers, ${active.digest}.` });
    addModel(paths, schemas, model, active, facts);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Kedge',
      version: KEDGE_VERSION,
      description:
        'Predictions by tensor (Open Inference Protocol v2) and by row. This document is made of the models that answer now.',
    },
    servers: [{ url: '/' }],
    tags,
    paths,
    components: {
      schemas,
      responses: failureComponents(),
      ...(facts.guarded && { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } }),
    },
  };
}

const MODEL_HEADERS = {
  'kedge-model-version': { description: 'The version that answered.', schema: { type: 'string' } },
  'kedge-model-digest': { description: 'Its digest.', schema: { type: 'string' } },
};

const TIMEOUT = {
  name: 'kedge-timeout-ms',
  in: 'header',
  description: 'Time for the answer, in milliseconds; what cannot keep it is refused at once.',
  schema: { type: 'number', exclusiveMinimum: 0 },
};

const PREDICTIONS: Schema = {
  type: 'object',
  required: ['predictions'],
  properties: { predictions: { type: 'array' } },
};

function addModel(
  paths: Paths,
  schemas: Record<string, Schema>,
  { name, versions }: ServedModel,
  { entry, signature }: ServedVersion,
  { estimator, guarded }: DocumentFacts,
): void {
  const { manifest } = entry;
  const code = manifest.code && estimator(manifest.code.estimator);
  schemas[`${name}.InferRequest`] = inferRequestSchema(signature, inferExample(manifest));
  schemas[`${name}.InferResponse`] = inferResponseSchema(signature);
  schemas[`${name}.PredictRequest`] = code
    ? predictRequestSchema(rowSchema(code.row), domainExample(code))
    : predictRequestSchema(tensorRowSchema(signature), rowsExample(manifest, signature));
  const ready = versions.filter(({ isReady }) => isReady).map(({ version }) => String(version));
  const versionParameter = {
    name: 'version',
    in: 'path',
    required: true,
    description: 'A version that answers now.',
    schema: { type: 'string', enum: [...new Set(ready)] },
  };
  const prediction = (operationId: string, summary: string, parameters: object[], request: string, answer: object) => ({
    tags: [name],
    operationId,
    summary,
    ...(guarded && { security: [{ token: [] }] }),
    parameters: [...parameters, TIMEOUT],
    requestBody: { required: true, content: json(`${name}.${request}`) },
    responses: {
      200: answer,
      ...failures([400, ...(guarded ? ([401, 403] as const) : []), 404, 413, 500, 501, 503]),
    },
  });
  const infer = (versioned: boolean): Operation =>
    prediction(
      `infer-${name}${versioned ? '-version' : ''}`,
      `Predict by tensors${versioned ? ', by one version' : ''}`,
      versioned ? [versionParameter] : [],
      'InferRequest',
      {
        description: 'The outputs, as JSON, or as binary tensors where they were asked for.',
        headers: MODEL_HEADERS,
        content: { ...json(`${name}.InferResponse`), 'application/octet-stream': {} },
      },
    );
  paths[`/v2/models/${name}/infer`] = { post: infer(false) };
  paths[`/v2/models/${name}/versions/{version}/infer`] = { post: infer(true) };
  const summary = code ? 'Predict by domain rows' : 'Predict by rows';
  paths[`/v1/models/${name}:predict`] = {
    post: prediction(`predict-${name}`, summary, [], 'PredictRequest', {
      description: 'One prediction for each row, in order.',
      headers: MODEL_HEADERS,
      content: { 'application/json': { schema: PREDICTIONS } },
    }),
  };
  const read = (id: string, about: string, answer: AnswerName): Record<string, Operation> => ({
    get: getOperation(name, `${id}-${name}`, about, answer, [404, 503]),
  });
  paths[`/v2/models/${name}`] = read('describe', 'Inputs and outputs', 'Model');
  paths[`/v2/models/${name}/ready`] = read('ready', 'Whether it can answer', 'ModelReady');
  paths[`/v2/models/${name}/versions`] = read('versions', 'Every version, what became of it and why', 'ModelVersions');
}

function getOperation(
  tag: string,
  operationId: string,
  summary: string,
  answer: AnswerName,
  statuses: readonly FailureStatus[] = [],
): Operation {
  return {
    tags: [tag],
    operationId,
    summary,
    responses: { 200: { description: 'As asked.', content: json(answer) }, ...failures(statuses) },
  };
}

function json(schema: string): object {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } };
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
