import type { RowField } from '../../contract/estimator.ts';
import type { Datatype, Signature, TensorSpec } from '../../contract/signature.ts';
import { elementCount } from '../../contract/tensor.ts';

/** A JSON Schema of 2020-12, which OpenAPI 3.1 takes as it is. */
export type Schema = Readonly<Record<string, unknown>>;

/** Without a number for them in JSON. */
const SPECIAL: Schema = { enum: ['NaN', 'Infinity', '-Infinity', null] };

/** Values of the datatypes as a request may have them. Those of 64 bits have no bounds here: JSON writers round them. */
const ELEMENTS: Record<Datatype, Schema> = {
  BOOL: { anyOf: [{ type: 'boolean' }, { enum: [0, 1] }] },
  UINT8: { type: 'integer', minimum: 0, maximum: 255 },
  UINT16: { type: 'integer', minimum: 0, maximum: 65_535 },
  UINT32: { type: 'integer', minimum: 0, maximum: 4_294_967_295 },
  UINT64: { type: 'integer', minimum: 0 },
  INT8: { type: 'integer', minimum: -128, maximum: 127 },
  INT16: { type: 'integer', minimum: -32_768, maximum: 32_767 },
  INT32: { type: 'integer', minimum: -2_147_483_648, maximum: 2_147_483_647 },
  INT64: { type: 'integer', format: 'int64' },
  FP16: { anyOf: [{ type: 'number' }, SPECIAL] },
  FP32: { anyOf: [{ type: 'number', format: 'float' }, SPECIAL] },
  FP64: { anyOf: [{ type: 'number', format: 'double' }, SPECIAL] },
  BYTES: { type: 'string' },
};

/** Values as an answer has them. NaN and the infinities, which strict JSON lacks, stand there as tokens. */
const ANSWERED: Partial<Record<Datatype, Schema>> = {
  BOOL: { type: 'boolean' },
  FP16: { type: 'number' },
  FP32: { type: 'number' },
  FP64: { type: 'number' },
};

/** Bytes that are no text, as TensorFlow Serving has them. */
const ENCODED: Schema = {
  type: 'object',
  required: ['b64'],
  properties: { b64: { type: 'string', contentEncoding: 'base64' } },
};

/** The body of an inference request to a model, with its own tensors. */
export function inferRequestSchema({ inputs }: Signature, example: unknown): Schema {
  const required = inputs.filter(({ optional }) => !optional).length;
  return {
    type: 'object',
    required: ['inputs'],
    properties: {
      id: { type: ['string', 'null'], description: 'Comes back in the answer.' },
      parameters: {
        type: ['object', 'null'],
        properties: {
          timeout: { type: ['integer', 'null'], minimum: 0, description: 'Time for the answer, in microseconds.' },
          priority: { type: ['integer', 'null'], minimum: 0, description: '1: before all others.' },
          binary_data_output: { type: ['boolean', 'null'], description: 'Outputs come as binary tensors.' },
        },
      },
      inputs: {
        type: 'array',
        minItems: required,
        maxItems: inputs.length,
        ...(inputs.length > 0 && { items: oneOf(inputs.map(requestTensor)) }),
      },
      outputs: {
        type: ['array', 'null'],
        description: 'The outputs wanted, in the order wanted; all if left out.',
        items: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
      },
    },
    ...(example !== undefined && { examples: [example] }),
  };
}

function requestTensor(spec: TensorSpec): Schema {
  const { name, datatype, shape, optional } = spec;
  const flat = arrayOf(ELEMENTS[datatype], [-1]);
  return {
    title: name,
    type: 'object',
    required: ['name', 'shape', 'datatype', 'data'],
    ...(optional && { description: 'Has a default, and may be left out.' }),
    properties: {
      name: { const: name },
      datatype: { const: datatype },
      shape: shapeSchema(spec),
      data: {
        description: 'The elements in row-major order, flat or nested as the shape is.',
        ...(shape.length > 1 ? { anyOf: [flat, arrayOf(ELEMENTS[datatype], shape)] } : flat),
      },
    },
  };
}

/** Fixed dimensions as they are, free ones as any whole number. */
function shapeSchema({ shape }: Pick<TensorSpec, 'shape'>): Schema {
  const dims = shape.map((dim) => (dim < 0 ? { type: 'integer', minimum: 0 } : { const: dim }));
  const length = { minItems: dims.length, maxItems: dims.length };
  return dims.length === 0 ? { type: 'array', ...length } : { type: 'array', prefixItems: dims, ...length };
}

/** The JSON answer to an inference request. Declared shapes of outputs are hints, so that only the declared rank is told. */
export function inferResponseSchema({ outputs }: Signature): Schema {
  const names = outputs.map(({ name, datatype, shape }) => `${name}: ${datatype}[${shape.join(',')}]`).join(', ');
  const classes = { name: { enum: outputs.map(({ name }) => name) }, datatype: { const: 'BYTES' } };
  return {
    type: 'object',
    description: `Outputs: ${names}.`,
    required: ['model_name', 'model_version', 'outputs'],
    properties: {
      model_name: { type: 'string' },
      model_version: { type: 'string' },
      id: { type: 'string' },
      outputs: {
        type: 'array',
        items: {
          anyOf: [
            ...outputs.map(({ name, datatype }) =>
              answeredTensor({ name: { const: name }, datatype: { const: datatype } }, datatype),
            ),
            { description: 'Where its classification was asked for.', ...answeredTensor(classes, 'BYTES') },
          ],
        },
      },
    },
  };
}

/** With `data`, or `binary_data_size` in its parameters. */
function answeredTensor(properties: Schema, datatype: Datatype): Schema {
  return {
    type: 'object',
    required: ['name', 'shape', 'datatype'],
    properties: {
      ...properties,
      shape: { type: 'array', items: { type: 'integer', minimum: 0 } },
      data: arrayOf(ANSWERED[datatype] ?? ELEMENTS[datatype], [-1]),
      parameters: { type: 'object' },
    },
  };
}

/** One domain row, as its estimator declares it. Fields that it does not know are let through. */
export function rowSchema(fields: readonly RowField[]): Schema {
  return {
    type: 'object',
    required: fields.filter(({ required }) => required).map(({ name }) => name),
    properties: Object.fromEntries(
      fields.map(({ name, type, required, description, example }) => [
        name,
        { type: required ? type : [type, 'null'], description, ...(example !== undefined && { examples: [example] }) },
      ]),
    ),
  };
}

/** A row of tensors: of the only input that is required, or an object with a row of each. */
export function tensorRowSchema({ inputs }: Signature): Schema {
  const required = inputs.filter(({ optional }) => !optional);
  const named: Schema = {
    type: 'object',
    required: required.map(({ name }) => name),
    properties: Object.fromEntries(inputs.map((spec) => [spec.name, rowOf(spec)])),
  };
  const only = required.length === 1 ? required[0] : inputs.length === 1 ? inputs[0] : undefined;
  return only ? { anyOf: [rowOf(only), named] } : named;
}

/** Nested as its dimensions are, or flat where they are all fixed; a single element may stand without brackets. */
function rowOf({ datatype, shape }: TensorSpec): Schema {
  const element = datatype === 'BYTES' ? { anyOf: [ELEMENTS.BYTES, ENCODED] } : ELEMENTS[datatype];
  const dims = shape.slice(1);
  const forms = [arrayOf(element, dims)];
  if (dims.length > 1 && !dims.includes(-1)) forms.push(arrayOf(element, [elementCount(dims)]));
  if (dims.length === 1 && dims[0] === 1) forms.push(element);
  return forms.length === 1 ? forms[0]! : { anyOf: forms };
}

/** The body of a prediction by rows. */
export function predictRequestSchema(row: Schema, example: unknown): Schema {
  return {
    type: 'object',
    required: ['instances'],
    properties: {
      instances: { type: 'array', items: row },
      signature_name: { enum: ['serving_default', '', null] },
    },
    ...(example !== undefined && { examples: [example] }),
  };
}

/** Arrays in arrays, as dimensions are, of `element`. */
function arrayOf(element: Schema, [dim, ...rest]: readonly number[]): Schema {
  if (dim === undefined) return element;
  const length = dim < 0 ? {} : { minItems: dim, maxItems: dim };
  return { type: 'array', items: arrayOf(element, rest), ...length };
}

function oneOf(schemas: readonly Schema[]): Schema {
  return schemas.length === 1 ? schemas[0]! : { oneOf: schemas };
}
