import type { RowField } from '../../contract/estimator.ts';
import type { Signature, TensorSpec } from '../../contract/signature.ts';
import { elementCount } from '../../contract/tensor.ts';
import { arrayOf, ELEMENTS, type Schema } from './schemas.ts';

/** Bytes that are no text, as TensorFlow Serving has them. */
const ENCODED: Schema = {
  type: 'object',
  required: ['b64'],
  properties: { b64: { type: 'string', contentEncoding: 'base64' } },
};

/** The two ways in which a model may be asked in TensorFlow Serving's form; undefined where it cannot. */
export interface PredictForms {
  /** A row, for `instances`. */
  row: Schema | undefined;
  /** How many rows it takes; undefined for any number. */
  rows?: number | undefined;
  /** The whole tensors, for `inputs`. */
  columns: Schema | undefined;
}

/** Of a model with an estimator: domain rows, as it declares them. Fields that it does not know are let through. */
export function domainForms(fields: readonly RowField[]): PredictForms {
  const row = {
    type: 'object',
    required: fields.filter(({ required }) => required).map(({ name }) => name),
    properties: Object.fromEntries(
      fields.map(({ name, type, required, description, example }) => [
        name,
        { type: required ? type : [type, 'null'], description, ...(example !== undefined && { examples: [example] }) },
      ]),
    ),
  };
  return { row, columns: undefined };
}

/** Of a model that is asked by tensors. A scalar, given or answered, is no row of anything, so that such a model is asked by columns alone. */
export function tensorForms({ inputs, outputs }: Signature): PredictForms {
  const required = inputs.filter(({ optional }) => !optional);
  const only = required.length === 1 ? required[0] : inputs.length === 1 ? inputs[0] : undefined;
  const [withRows, withoutRows] = [inputs, outputs].map((all) => all.filter(({ shape }) => shape.length > 0));
  const hasRows =
    inputs.length > 0 && required.every((one) => withRows!.includes(one)) && withoutRows!.length === outputs.length;
  const fixed = required.map(({ shape }) => shape[0]!).find((rows) => rows >= 0);
  const columnOf = ({ datatype, shape }: TensorSpec): Schema => arrayOf(elementOf(datatype), shape);
  return {
    row: hasRows ? byName(withRows!, only, rowOf) : undefined,
    rows: fixed,
    columns: inputs.length > 0 ? byName(inputs, only, columnOf) : undefined,
  };
}

/** An object with a part for each input, or the part of the only one that is required. */
function byName(
  inputs: readonly TensorSpec[],
  only: TensorSpec | undefined,
  partOf: (spec: TensorSpec) => Schema,
): Schema {
  const named: Schema = {
    type: 'object',
    required: inputs.filter(({ optional }) => !optional).map(({ name }) => name),
    properties: Object.fromEntries(inputs.map((spec) => [spec.name, partOf(spec)])),
    additionalProperties: false,
  };
  return only ? { anyOf: [partOf(only), named] } : named;
}

/** Nested as its dimensions are, or flat where they are all fixed; a single element may stand without brackets. */
function rowOf({ datatype, shape }: TensorSpec): Schema {
  const element = elementOf(datatype);
  const dims = shape.slice(1);
  const forms = [arrayOf(element, dims)];
  if (dims.length > 1 && !dims.includes(-1)) forms.push(arrayOf(element, [elementCount(dims)]));
  if (dims.length === 1 && dims[0] === 1) forms.push(element);
  return forms.length === 1 ? forms[0]! : { anyOf: forms };
}

function elementOf(datatype: TensorSpec['datatype']): Schema {
  return datatype === 'BYTES' ? { anyOf: [ELEMENTS.BYTES, ENCODED] } : ELEMENTS[datatype];
}

/** The body of a prediction: rows or columns, and not both. */
export function predictRequestSchema({ row, rows, columns }: PredictForms, example: unknown): Schema {
  const length = rows === undefined ? {} : { minItems: rows, maxItems: rows };
  const form = (name: string, other: string, schema: Schema): Schema => ({
    type: 'object',
    required: [name],
    properties: {
      [name]: schema,
      [other]: { type: 'null' },
      signature_name: { enum: ['serving_default', '', null] },
    },
  });
  const forms = [
    ...(row ? [form('instances', 'inputs', { type: 'array', items: row, ...length })] : []),
    ...(columns ? [form('inputs', 'instances', columns)] : []),
  ];
  return {
    ...(forms.length === 1 ? forms[0] : { oneOf: forms }),
    ...(example !== undefined && { examples: [example] }),
  };
}

/** One prediction for each row, in order, or the whole outputs. */
export function predictResponseSchema({ row, columns }: PredictForms): Schema {
  const form = (name: string, schema: Schema): Schema => ({
    type: 'object',
    required: [name],
    properties: { [name]: schema },
  });
  const forms = [
    ...(row ? [form('predictions', { type: 'array' })] : []),
    ...(columns
      ? [form('outputs', { description: 'The tensor of the only output, or an object with that of each.' })]
      : []),
  ];
  return forms.length === 1 ? forms[0]! : { oneOf: forms };
}
