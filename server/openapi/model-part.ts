import type { Estimator } from '../../contract/estimator.ts';
import { ASLEEP } from '../api/version-states.ts';
import type { ServedModel } from '../lifecycle/served-model.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import { type AnswerName, failures } from './answers.ts';
import { domainExample, inferExample, rowsExample } from './examples.ts';
import { getOperation, HEADERS, json, type Operation, type Paths } from './operations.ts';
import {
  inferRequestSchema,
  inferResponseSchema,
  predictRequestSchema,
  rowSchema,
  type Schema,
  tensorRowSchema,
} from './schemas.ts';

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
  const { name, answering, able } = model;
  if (!answering) return undefined;
  const asleep = answering.isReady ? '' : `, ${ASLEEP}`;
  const of = `${name} ${guarded} ${able} ${asleep}`;
  const kept = KEPT.get(answering);
  if (kept?.of === of) return kept;
  const { paths, schemas } = describe(name, answering, able.map(String), estimator, guarded);
  const part = {
    of,
    tag: JSON.stringify({ name, description: `Version ${answering.version} answers${asleep}, ${answering.digest}.` }),
    paths: JSON.stringify(paths).slice(1, -1),
    schemas: JSON.stringify(schemas).slice(1, -1),
  };
  KEPT.set(answering, part);
  onMade();
  return part;
}

const MODEL_HEADERS = Object.fromEntries(
  Object.keys(HEADERS).map((header) => [header, { $ref: `#/components/headers/${header}` }]),
);
const TIMEOUT = { $ref: '#/components/parameters/timeout' };

const PREDICTIONS: Schema = {
  type: 'object',
  required: ['predictions'],
  properties: { predictions: { type: 'array' } },
};

function describe(
  name: string,
  { entry, signature }: ServedVersion,
  ready: readonly string[],
  estimator: EstimatorOf,
  guarded: boolean,
): { paths: Paths; schemas: Record<string, Schema> } {
  const [paths, schemas]: [Paths, Record<string, Schema>] = [{}, {}];
  const { manifest } = entry;
  const code = manifest.code && estimator(manifest.code.estimator);
  schemas[`${name}.InferRequest`] = inferRequestSchema(signature, inferExample(manifest));
  schemas[`${name}.InferResponse`] = inferResponseSchema(signature);
  schemas[`${name}.PredictRequest`] = code
    ? predictRequestSchema(rowSchema(code.row), domainExample(code))
    : predictRequestSchema(tensorRowSchema(signature), rowsExample(manifest, signature));
  const versionParameter = {
    name: 'version',
    in: 'path',
    required: true,
    description: 'A version that can answer.',
    schema: { type: 'string', enum: ready },
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
  paths[`/v2/models/${name}/config`] = read('config', "The same as Triton's configuration", 'Config');
  paths[`/v2/models/${name}/stats`] = read('stats', 'What was asked, and where its time went', 'Statistics');
  paths[`/v1/models/${name}`] = read(
    'status',
    'The state of each version, as TensorFlow Serving has it',
    'ModelStatus',
  );
  paths[`/v2/models/${name}/versions`] = read('versions', 'Every version, what became of it and why', 'ModelVersions');
  return { paths, schemas };
}
