import type { RowField } from '../../contract/estimator.ts';
import type { Datatype, Signature, TensorSpec } from '../../contract/signature.ts';

/** A JSON Schema of 2020-12, which OpenAPI 3.1 takes as it is. */
export type Schema = Readonly<Record<string, unknown>>;

/** Values of the datatypes in JSON. Those of 64 bits have no bounds here: JSON writers round them. */
const ELEMENTS: Record<Datatype, Schema> = {
  BOOL: { type: 'boolean' },
  UINT8: { type: 'integer', minimum: 0, maximum: 255 },
  UINT16: { type: 'integer', minimum: 0, maximum: 65_535 },
  UINT32: { type: 'integer', minimum: 0, maximum: 4_294_967_295 },
  UINT64: { type: 'integer', minimum: 0 },
  INT8: { type: 'integer', minimum: -128, maximum: 127 },
  INT16: { type: 'integer', minimum: -32_768, maximum: 32_767 },
  INT32: { type: 'integer', minimum: -2_147_483_648, maximum: 2_147_483_647 },
  INT64: { type: 'integer', format: 'int64' },
  FP16: { type: 'number' },
  FP32: { type: 'number', format: 'float' },
  FP64: { type: 'number', format: 'double' },
  BYTES: { type: 'string' },
};

/** The body of an inference request to a model, with its own tensors. */
export function inferRequestSchema({ inputs }: Signature, example: unknown): Schema {
  const required = inputs.filter(({ optional }) => !optional).length;
  return {
    type: 'object',
    required: ['inputs'],
    properties: {
      id: { type: 'string', description: 'Comes back in the answer.' },
      parameters: {
        type: 'object',
        properties: {
          timeout: { type: 'integer', minimum: 0, description: 'Time for the answer, in microseconds.' },
          priority: { type: 'integer', minimum: 0, description: '1: before all others.' },
          binary_data_output: { type: 'boolean', description: 'Outputs come as binary tensors.' },
        },
      },
      inputs: {
        type: 'array',
        minItems: required,
        maxItems: inputs.length,
        ...(inputs.length > 0 && { items: oneOf(inputs.map(requestTensor)) }),
      },
      outputs: {
        type: 'array',
        description: 'The outputs wanted, in the order wanted; all if left out.',
        items: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
      },
    },
    ...(example !== undefined && { examples: [example] }),
  };
}

function requestTensor(spec: TensorSpec): Schema {
  const { name, datatype, optional } = spec;
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
        type: 'array',
        description: 'The elements in row-major order, flat or nested as the shape is.',
        items: { anyOf: [ELEMENTS[datatype], { type: 'array' }] },
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

/** The JSON answer to an inference request. NaN and the infinities, which JSON lacks, stand in `data` as tokens. */
export function inferResponseSchema({ outputs }: Signature): Schema {
  const names = outputs.map(({ name, datatype, shape }) => `${name}: ${datatype}[${shape.join(',')}]`).join(', ');
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
          type: 'object',
          required: ['name', 'shape', 'datatype'],
          properties: {
            name: { enum: outputs.map(({ name }) => name) },
            datatype: { type: 'string' },
            shape: { type: 'array', items: { type: 'integer', minimum: 0 } },
            data: { type: 'array' },
            parameters: { type: 'object' },
          },
        },
      },
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

/** The body of a prediction by rows. */
export function predictRequestSchema(row: Schema, example: unknown): Schema {
  return {
    type: 'object',
    required: ['instances'],
    properties: { instances: { type: 'array', items: row } },
    ...(example !== undefined && { examples: [example] }),
  };
}

function oneOf(schemas: readonly Schema[]): Schema {
  return schemas.length === 1 ? schemas[0]! : { oneOf: schemas };
}
