import type { Estimator } from '../../contract/estimator.ts';
import { KEDGE_VERSION } from '../../contract/version.ts';
import type { ServedModel } from '../lifecycle/served-model.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import { domainExample, inferExample, rowsExample } from './examples.ts';
import { inferRequestSchema, inferResponseSchema, predictRequestSchema, rowSchema, type Schema } from './schemas.ts';

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
  const schemas: Record<string, Schema> = { Error: ERROR };
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
      ...(facts.guarded && { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } }),
    },
  };
}

const ERROR: Schema = {
  type: 'object',
  required: ['error', 'code'],
  properties: {
    error: { type: 'string', description: 'A sentence that says what to do.' },
    code: { type: 'string', description: 'Stable; for programs.' },
  },
};

const FAILURE = {
  description: 'Not answered, and why.',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
};

const RETRY = {
  ...FAILURE,
  description: 'Not answered now: loading, draining, or too much to be answered in time.',
  headers: { 'retry-after': { description: 'Seconds until it is worth asking again.', schema: { type: 'integer' } } },
};

const MODEL_HEADERS = {
  'kedge-model-version': { description: 'The version that answered.', schema: { type: 'string' } },
  'kedge-model-digest': { description: 'Its digest.', schema: { type: 'string' } },
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
    : predictRequestSchema(
        { description: 'A row of the input, or an object with a row of each input.' },
        rowsExample(manifest, signature),
      );
  const ready = versions.filter(({ isReady }) => isReady).map(({ version }) => String(version));
  const versionParameter = {
    name: 'version',
    in: 'path',
    required: true,
    description: 'A version that answers now.',
    schema: { type: 'string', enum: [...new Set(ready)] },
  };
  const security = guarded ? { security: [{ token: [] }] } : {};
  const infer = (versioned: boolean): Operation => ({
    tags: [name],
    operationId: `infer-${name}${versioned ? '-version' : ''}`,
    summary: `Predict by tensors${versioned ? ', by one version' : ''}`,
    ...security,
    parameters: [...(versioned ? [versionParameter] : []), TIMEOUT],
    requestBody: body(`${name}.InferRequest`),
    responses: {
      200: {
        description: 'The outputs, as JSON, or as binary tensors where they were asked for.',
        headers: MODEL_HEADERS,
        content: {
          'application/json': { schema: { $ref: `#/components/schemas/${name}.InferResponse` } },
          'application/octet-stream': {},
        },
      },
      503: RETRY,
      default: FAILURE,
    },
  });
  paths[`/v2/models/${name}/infer`] = { post: infer(false) };
  paths[`/v2/models/${name}/versions/{version}/infer`] = { post: infer(true) };
  paths[`/v1/models/${name}:predict`] = {
    post: {
      tags: [name],
      operationId: `predict-${name}`,
      summary: code ? 'Predict by domain rows' : 'Predict by rows',
      ...security,
      parameters: [TIMEOUT],
      requestBody: body(`${name}.PredictRequest`),
      responses: {
        200: {
          description: 'One prediction for each row, in order.',
          headers: MODEL_HEADERS,
          content: { 'application/json': { schema: PREDICTIONS } },
        },
        503: RETRY,
        default: FAILURE,
      },
    },
  };
  const read = (id: string, summary: string): Record<string, Operation> => ({
    get: { ...getOperation(`${id}-${name}`, summary), tags: [name] },
  });
  paths[`/v2/models/${name}`] = read('describe', 'Inputs and outputs');
  paths[`/v2/models/${name}/ready`] = read('ready', 'Whether it can answer');
  paths[`/v2/models/${name}/versions`] = read('versions', 'Every version, what became of it and why');
}

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

function body(schema: string): object {
  return { required: true, content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } } };
}

function getOperation(operationId: string, summary: string): Operation {
  return {
    operationId,
    summary,
    responses: {
      200: { description: 'As asked.', content: { 'application/json': { schema: { type: 'object' } } } },
      default: FAILURE,
    },
  };
}

function serverPaths({ admin, guarded }: DocumentFacts): Paths {
  const get = (operationId: string, summary: string): Record<string, Operation> => ({
    get: { ...getOperation(operationId, summary), tags: ['server'] },
  });
  const change = (verb: 'load' | 'unload', summary: string): Record<string, Operation> => ({
    post: {
      ...getOperation(`repository-${verb}`, summary),
      tags: ['server'],
      ...(guarded && { security: [{ token: [] }] }),
      parameters: [{ name: 'model', in: 'path', required: true, schema: { type: 'string' } }],
    },
  });
  return {
    '/v2': get('server', 'The server and the protocol extensions that it has'),
    '/v2/health/live': get('live', 'Whether the process answers'),
    '/v2/health/ready': get('ready', 'Whether predictions can be answered'),
    '/v2/models': get('models', 'The models that are known'),
    ...(admin && {
      '/v2/repository/models/{model}/load': change('load', 'Look at the volume, and try again what was refused'),
      '/v2/repository/models/{model}/unload': change('unload', 'Take a model off this server'),
    }),
  };
}
