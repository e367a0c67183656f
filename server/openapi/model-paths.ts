import type { Estimator } from '../../contract/estimator.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import { type AnswerName, failures } from './answers.ts';
import { domainExample } from './domain-example.ts';
import { columnsExample, inferExample, rowsExample } from './examples.ts';
import { getOperation, HEADERS, json, type Operation, type Paths } from './operations.ts';
import { domainForms, predictRequestSchema, predictResponseSchema, tensorForms } from './predict-schemas.ts';
import { inferRequestSchema, inferResponseSchema, type Schema } from './schemas.ts';

/** Versions of a model that are asked in the same way: with the same tensors, and by the same estimator. */
export interface Alike {
  version: ServedVersion;
  estimator: Estimator | undefined;
  /** Their numbers, newest first. */
  numbers: readonly number[];
  /** Labels that point at them. */
  labels: readonly string[];
}

/** What a model can be asked; `alike` begins with those that answer unversioned requests. */
export interface ModelFacts {
  name: string;
  alike: readonly Alike[];
  /** Tokens are asked for. */
  guarded: boolean;
}

const MODEL_HEADERS = Object.fromEntries(
  Object.keys(HEADERS).map((header) => [header, { $ref: `#/components/headers/${header}` }]),
);
const TIMEOUT = { $ref: '#/components/parameters/timeout' };
const JSON_LENGTH = { $ref: '#/components/parameters/jsonLength' };

/** The predictions of a model, with the schemas that they are made of. */
export function predictionsOf({ name, alike, guarded }: ModelFacts): { paths: Paths; schemas: Record<string, Schema> } {
  const [paths, schemas]: [Paths, Record<string, Schema>] = [{}, {}];
  for (const [index, group] of alike.entries()) {
    const { signature, entry } = group.version;
    const { manifest } = entry;
    // No name of a model has a capital letter, so that these are nobody else's.
    const suffix = index === 0 ? '' : `.${group.numbers[0]}`;
    const forms = group.estimator ? domainForms(group.estimator.row) : tensorForms(signature);
    schemas[`${name}.InferRequest${suffix}`] = inferRequestSchema(signature, inferExample(manifest));
    schemas[`${name}.InferResponse${suffix}`] = inferResponseSchema(signature);
    const places = placesOf(group, index === 0);
    for (const { id, path, about, parameters } of places.filter(({ label }) => !label)) {
      const infer = prediction(name, guarded, {
        id: `infer-${name}${id}`,
        summary: `Predict by tensors${about}`,
        parameters: [...parameters, JSON_LENGTH],
        description: 'JSON, or JSON with binary tensors behind it.',
        body: { ...json(`${name}.InferRequest${suffix}`), 'application/octet-stream': {} },
        answer: 'The outputs, as JSON, or as binary tensors where they were asked for.',
        answers: { ...json(`${name}.InferResponse${suffix}`), 'application/octet-stream': {} },
      });
      paths[`/v2/models/${name}${path}/infer`] = { post: infer };
    }
    if (!forms.row && !forms.columns) continue;
    const rows = group.estimator
      ? domainExample(group.estimator, manifest)
      : forms.row
        ? rowsExample(manifest, signature)
        : columnsExample(manifest);
    schemas[`${name}.PredictRequest${suffix}`] = predictRequestSchema(forms, rows);
    schemas[`${name}.PredictResponse${suffix}`] = predictResponseSchema(forms);
    const how = group.estimator ? 'domain rows' : forms.row ? 'rows or columns' : 'columns';
    for (const { id, path, about, parameters } of places) {
      const predict = prediction(name, guarded, {
        id: `predict-${name}${id}`,
        summary: `Predict by ${how}${about}`,
        parameters,
        body: json(`${name}.PredictRequest${suffix}`),
        answer: 'One prediction for each row, in order, or the whole outputs where columns were sent.',
        answers: json(`${name}.PredictResponse${suffix}`),
      });
      paths[`/v1/models/${name}${path}:predict`] = { post: predict };
    }
  }
  return { paths, schemas };
}

interface Place {
  id: string;
  path: string;
  about: string;
  parameters: object[];
  label: boolean;
}

/** Where versions that are alike are asked: those that answer are by number and label where others have paths of their own. */
function placesOf({ numbers, labels }: Alike, answering: boolean): Place[] {
  const place = (id: string, path: string, about: string, parameters: object[], label = false): Place => ({
    ...{ id, path, about, parameters, label },
  });
  if (!answering) {
    return [
      ...numbers.map((number) => place(`:${number}`, `/versions/${number}`, `, by version ${number}`, [])),
      ...labels.map((label) => place(`:label:${label}`, `/labels/${label}`, `, by the label ${label}`, [], true)),
    ];
  }
  return [
    place('', '', '', []),
    place(':version', '/versions/{version}', ', by one version', [versionParameter(numbers)]),
    ...(labels.length > 0 ? [place(':label', '/labels/{label}', ', by a label', [labelParameter(labels)], true)] : []),
  ];
}

function versionParameter(numbers: readonly number[]): object {
  const schema = { type: 'string', enum: numbers.map(String) };
  return { name: 'version', in: 'path', required: true, description: 'A version that can answer.', schema };
}

function labelParameter(labels: readonly string[]): object {
  const schema = { type: 'string', enum: labels };
  return { name: 'label', in: 'path', required: true, description: 'A label of such a version.', schema };
}

interface Prediction {
  id: string;
  summary: string;
  parameters: object[];
  /** Of the body. */
  description?: string;
  body: object;
  answer: string;
  answers: object;
}

function prediction(
  name: string,
  guarded: boolean,
  { id, summary, parameters, description, body, answer, answers }: Prediction,
): Operation {
  return {
    tags: [name],
    operationId: id,
    summary,
    ...(guarded && { security: [{ token: [] }] }),
    parameters: [...parameters, TIMEOUT],
    requestBody: { required: true, ...(description !== undefined && { description }), content: body },
    responses: {
      200: { description: answer, headers: MODEL_HEADERS, content: answers },
      ...failures([400, ...(guarded ? ([401, 403] as const) : []), 404, 413, 500, 501, 503]),
    },
  };
}

/** What can be read of a model, and of each of its versions that can answer. */
export function readingsOf({ name, alike }: ModelFacts): Paths {
  const paths: Paths = {};
  const read = (path: string, id: string, about: string, answer: AnswerName, parameters: object[] = []): void => {
    paths[path] = { get: getOperation(name, id, about, answer, [404, 503], parameters) };
  };
  const numbers = alike.flatMap((group) => group.numbers).sort((a, b) => b - a);
  const labels = alike.flatMap((group) => group.labels);
  const both = (base: string, id: string, about: string, answer: AnswerName, rest = ''): void => {
    read(`${base}${rest}`, `${id}-${name}`, about, answer);
    const parameters = [versionParameter(numbers)];
    read(`${base}/versions/{version}${rest}`, `${id}-${name}:version`, `${about}, of one version`, answer, parameters);
  };
  const v2 = `/v2/models/${name}`;
  both(v2, 'describe', 'Inputs and outputs', 'Model');
  both(v2, 'ready', 'Whether it can answer', 'ModelReady', '/ready');
  both(v2, 'config', "The same as Triton's configuration", 'Config', '/config');
  both(v2, 'stats', 'What was asked, and where its time went', 'Statistics', '/stats');
  read(`${v2}/versions`, `versions-${name}`, 'Every version, what became of it and why', 'ModelVersions');
  const v1 = `/v1/models/${name}`;
  const status = 'The state of each version, as TensorFlow Serving has it';
  const metadata = 'The same as metadata of TensorFlow Serving';
  both(v1, 'status', status, 'ModelStatus');
  both(v1, 'metadata', metadata, 'SignatureDef', '/metadata');
  if (labels.length > 0) {
    const parameters = [labelParameter(labels)];
    read(`${v1}/labels/{label}`, `status-${name}:label`, `${status}, by a label`, 'ModelStatus', parameters);
    const path = `${v1}/labels/{label}/metadata`;
    read(path, `metadata-${name}:label`, `${metadata}, by a label`, 'SignatureDef', parameters);
  }
  // The statistics of all models have this path.
  delete paths['/v2/models/stats'];
  return paths;
}
