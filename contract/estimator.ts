import { digestOf } from './manifest.ts';
import type { Tensors } from './tensor.ts';

/** One column of the feature schema, as the model sees it. Everything in it is part of the feature digest. */
export interface Feature {
  name: string;
  type: 'number' | 'integer' | 'boolean' | 'category';
  /** The known categories in the order of their codes; for `category` only. */
  categories?: readonly string[];
  /** How the value becomes numbers in the tensor: `identity`, `ordinal`, `one-hot`, `cyclic-24` … */
  encoding: string;
  unit?: string;
}

/** One field of a domain row, as the caller writes it. */
export interface RowField {
  name: string;
  type: 'number' | 'integer' | 'boolean' | 'string';
  description: string;
  required: boolean;
  /** A value that is right, for documents and for trying. */
  example?: string | number | boolean;
}

/**
 * The code of a model: its features, and how domain rows become tensors and answers become predictions. Trainer and server
 * import the same one. A folder of estimators holds one file each whose default export is an Estimator; a plain object will
 * do, so it needs no import from Kedge at run time.
 */
export interface Estimator {
  name: string;
  /** Semantic version: what `requires.estimator` of a manifest is held against. */
  version: string;
  features: readonly Feature[];
  row: readonly RowField[];
  /** One tensor for each input of the model, with a row for each domain row. @throws Error that names row and field */
  encode(rows: readonly Record<string, unknown>[]): Tensors;
  /** One prediction for each domain row, in order. */
  decode(outputs: Tensors, rows: readonly Record<string, unknown>[]): unknown[];
}

/** sha256 over names, order, types, categories, encodings and units of the features: `sha256:…`. */
export function featureDigest(features: readonly Feature[]): string {
  return digestOf(
    JSON.stringify(
      features.map(({ name, type, categories, encoding, unit }) => [
        name,
        type,
        categories ?? [],
        encoding,
        unit ?? '',
      ]),
    ),
  );
}
