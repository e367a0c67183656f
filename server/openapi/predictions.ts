import type { Estimator } from '../../contract/estimator.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import { failures } from './answers.ts';
import { domainExample } from './domain-example.ts';
import { columnsExample, inferExample, rowsExample } from './examples.ts';
import { HEADERS, json, type Operation, type Paths } from './operations.ts';
import {
  domainForms,
  type PredictForms,
  predictRequestSchema,
  predictResponseSchema,
  tensorForms,
} from './predict-schemas.ts';
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
export function predictionsOf({ name, alike, guarded }: ModelFacts): Predictions {
  const parts = alike.map((group, index): Predictions => {
    // No name of a model has a capital letter, so that these are nobody else's.
    const schemaName = (kind: string): string => `${name}.${kind}${index === 0 ? '' : `.${group.numbers[0]}`}`;
    const asked: Asked = { name, guarded, group, places: placesOf(group, index === 0), schemaName };
    const [infer, predict] = [inferencesOf(asked), predictsOf(asked)];
    return { paths: { ...infer.paths, ...predict.paths }, schemas: { ...infer.schemas, ...predict.schemas } };
  });
  return {
    paths: Object.assign({}, ...parts.map(({ paths }) => paths)),
    schemas: Object.assign({}, ...parts.map(({ schemas }) => schemas)),
  };
}

interface Predictions {
  paths: Paths;
  schemas: Record<string, Schema>;
}

interface Asked {
  name: string;
  guarded: boolean;
  group: Alike;
  places: readonly Place[];
  schemaName: (kind: string) => string;
}

/** By tensors, which labels are no part of. */
function inferencesOf({ name, guarded, group, places, schemaName }: Asked): Predictions {
  const { signature, entry } = group.version;
  const [request, response] = [schemaName('InferRequest'), schemaName('InferResponse')];
  const pathOf = ({ id, path, about, parameters }: Place): [string, { post: Operation }] => {
    const post = prediction(name, guarded, {
      id: `infer-${name}${id}`,
      summary: `Predict by tensors${about}`,
      parameters: [...parameters, JSON_LENGTH],
      description: 'JSON, or JSON with binary tensors behind it.',
      body: { ...json(request), 'application/octet-stream': {} },
      answer: 'The outputs, as JSON, or as binary tensors where they were asked for.',
      answers: { ...json(response), 'application/octet-stream': {} },
    });
    return [`/v2/models/${name}${path}/infer`, { post }];
  };
  return {
    paths: Object.fromEntries(places.filter(({ label }) => !label).map(pathOf)),
    schemas: {
      [request]: inferRequestSchema(signature, inferExample(entry.manifest)),
      [response]: inferResponseSchema(signature),
    },
  };
}

/** By rows or columns, in as many of these forms as the model has. */
function predictsOf({ name, guarded, group, places, schemaName }: Asked): Predictions {
  const { version, estimator } = group;
  const forms = estimator ? domainForms(estimator.row) : tensorForms(version.signature);
  if (!forms.row && !forms.columns) return { paths: {}, schemas: {} };
  const [request, response] = [schemaName('PredictRequest'), schemaName('PredictResponse')];
  const how = estimator ? 'domain rows' : forms.row ? 'rows or columns' : 'columns';
  const pathOf = ({ id, path, about, parameters }: Place): [string, { post: Operation }] => {
    const post = prediction(name, guarded, {
      id: `predict-${name}${id}`,
      summary: `Predict by ${how}${about}`,
      parameters,
      body: json(request),
      answer: 'One prediction for each row, in order, or the whole outputs where columns were sent.',
      answers: json(response),
    });
    return [`/v1/models/${name}${path}:predict`, { post }];
  };
  return {
    paths: Object.fromEntries(places.map(pathOf)),
    schemas: {
      [request]: predictRequestSchema(forms, exampleOf(group, forms)),
      [response]: predictResponseSchema(forms),
    },
  };
}

function exampleOf({ version, estimator }: Alike, { row }: PredictForms): object | undefined {
  const { signature, entry } = version;
  if (estimator) return domainExample(estimator, entry.manifest);
  return row ? rowsExample(entry.manifest, signature) : columnsExample(entry.manifest);
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

export function versionParameter(numbers: readonly number[]): object {
  const schema = { type: 'string', enum: numbers.map(String) };
  return { name: 'version', in: 'path', required: true, description: 'A version that can answer.', schema };
}

export function labelParameter(labels: readonly string[]): object {
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
