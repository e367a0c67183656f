import type { Datatype, Signature, TensorSpec } from '../../contract/signature.ts';

/** A JSON Schema of 2020-12, which OpenAPI 3.1 takes as it is. */
export type Schema = Readonly<Record<string, unknown>>;

/** Without a number for them in JSON. */
const SPECIAL: Schema = { enum: ['NaN', 'Infinity', '-Infinity', null] };

/** Values of the datatypes as a request may have them. Those of 64 bits have no bounds here: JSON writers round them. */
export const ELEMENTS: Record<Datatype, Schema> = {
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

/** How an output is wanted. */
const WISH: Schema = {
  type: ['object', 'null'],
  properties: {
    binary_data: { type: ['boolean', 'null'], description: 'As a binary tensor. A listed output without it is JSON.' },
    classification: {
      type: ['integer', 'null'],
      minimum: 1,
      description: 'In the place of the tensor: so many of the highest values of each row, as strings "value:index".',
    },
  },
};

/** The body of an inference request to a model, with its own tensors. */
export function inferRequestSchema({ inputs, outputs }: Signature, example: unknown): Schema {
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
        items: {
          type: 'object',
          required: ['name'],
          properties: { name: { enum: outputs.map(({ name }) => name) }, parameters: WISH },
        },
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

/** Arrays in arrays, as dimensions are, of `element`. */
export function arrayOf(element: Schema, [dim, ...rest]: readonly number[]): Schema {
  if (dim === undefined) return element;
  const length = dim < 0 ? {} : { minItems: dim, maxItems: dim };
  return { type: 'array', items: arrayOf(element, rest), ...length };
}

function oneOf(schemas: readonly Schema[]): Schema {
  return schemas.length === 1 ? schemas[0]! : { oneOf: schemas };
}
