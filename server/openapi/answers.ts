import { REFUSALS } from '../../contract/refusal.ts';
import { DATATYPES } from '../../contract/signature.ts';
import { STATES } from '../lifecycle/states.ts';
import type { Schema } from './schemas.ts';

/** What is answered to everything but predictions, and the ways in which a request is refused: parts that the paths refer to. */

const text: Schema = { type: 'string' };
const texts: Schema = { type: 'array', items: text };
const object = (properties: Record<string, Schema>, optional: Record<string, Schema> = {}): Schema => ({
  type: 'object',
  required: Object.keys(properties),
  properties: { ...properties, ...optional },
});

const ERROR = object({
  error: { type: 'string', description: 'A sentence that says what to do.' },
  code: { type: 'string', description: 'Stable; for programs.' },
});

const TENSORS: Schema = {
  type: 'array',
  items: object(
    { name: text, datatype: { enum: DATATYPES }, shape: { type: 'array', items: { type: 'integer', minimum: -1 } } },
    { optional: { const: true } },
  ),
};

const STATE: Schema = {
  enum: [...STATES.map((state) => (state === 'discovered' ? 'available' : state)), 'incomplete'],
};
const TIME: Schema = { type: 'string', format: 'date-time' };
const REASONS: Schema = { type: 'array', items: object({ code: { enum: Object.keys(REFUSALS) }, message: text }) };

const VERSION = object(
  { version: text, state: STATE, since: TIME, reasons: REASONS },
  {
    digest: text,
    warnings: REASONS,
    placement: object({ engine: { enum: ['inline', 'host'] }, reason: text }),
    merging: object(
      { merged: { type: 'boolean' }, basis: { enum: ['proved', 'declared', 'unproved', 'forbidden'] }, reason: text },
      { trial: text },
    ),
    memoryBytes: { type: 'integer', minimum: 0 },
    loadMs: { type: 'number', minimum: 0 },
    retryAt: TIME,
    history: { type: 'array', items: object({ state: STATE, since: TIME }, { codes: texts }) },
  },
);

const COUNT: Schema = { type: 'integer', minimum: 0 };
const SPENT = object({ count: COUNT, ns: COUNT });
const SPENDINGS = ['success', 'fail', 'queue', 'compute_input', 'compute_infer', 'compute_output'];
const PARTS = { compute_input: SPENT, compute_infer: SPENT, compute_output: SPENT };

const STATISTICS = object({
  name: text,
  version: text,
  last_inference: COUNT,
  inference_count: COUNT,
  execution_count: COUNT,
  inference_stats: object(Object.fromEntries(SPENDINGS.map((name) => [name, SPENT]))),
  batch_stats: { type: 'array', items: object({ batch_size: COUNT, ...PARTS }) },
  memory_usage: { type: 'array', items: object({ type: text, id: COUNT, byte_size: COUNT }) },
});

const CONFIG_TENSORS: Schema = {
  type: 'array',
  items: object({
    name: text,
    data_type: { type: 'string', pattern: '^TYPE_' },
    dims: { type: 'array', items: { type: 'integer', minimum: -1 } },
  }),
};

export const ANSWERS = {
  Error: ERROR,
  Live: object({ live: { const: true } }),
  Ready: object({ live: { const: true }, ready: { const: true } }),
  Server: object({ name: { const: 'kedge' }, version: text, extensions: texts }),
  Models: object({ models: texts }),
  Index: {
    type: 'array',
    items: object({
      name: text,
      version: text,
      state: { enum: ['READY', 'LOADING', 'UNLOADING', 'UNAVAILABLE'] },
      reason: text,
    }),
  },
  Changed: object({ name: text }, { load: { const: true }, unload: { const: true } }),
  Model: object(
    { name: text, versions: texts, platform: text, inputs: TENSORS, outputs: TENSORS },
    { parameters: { type: 'object' } },
  ),
  Config: object({
    name: text,
    platform: text,
    max_batch_size: COUNT,
    version_policy: { type: 'object' },
    input: CONFIG_TENSORS,
    output: CONFIG_TENSORS,
  }),
  Statistics: object({ model_stats: { type: 'array', items: STATISTICS } }),
  ModelStatus: object(
    {
      model_version_status: {
        type: 'array',
        items: object({
          version: text,
          state: { enum: ['START', 'LOADING', 'AVAILABLE', 'UNLOADING', 'END'] },
          status: object({ error_code: text, error_message: text }),
        }),
      },
    },
    { name: text, ready: { type: 'boolean' } },
  ),
  SignatureDef: object({
    model_spec: object({ name: text, signature_name: text, version: text }),
    metadata: object({ signature_def: { type: 'object' } }),
  }),
  ModelReady: object({ name: text, ready: { const: true } }),
  ModelVersions: object(
    { name: text, active: { type: ['string', 'null'] }, versions: { type: 'array', items: VERSION } },
    { pin: text, policy: { type: 'object' }, labels: { type: 'object' }, lazy: { const: true } },
  ),
} as const satisfies Record<string, Schema>;

export type AnswerName = keyof typeof ANSWERS;

const CONTENT = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
const refused = (description: string, headers?: object): object => ({
  description,
  ...(headers && { headers }),
  content: CONTENT,
});

/** By status, as components. */
const FAILURES = {
  400: refused('The request is not one that can be answered; the sentence names the field.'),
  401: refused('A token is needed that this server knows.', {
    'www-authenticate': { description: 'Bearer', schema: text },
  }),
  403: refused('The token, or where the request comes from, does not allow this.'),
  404: refused('There is no such model or version here.'),
  413: refused('The body is larger than KEDGE_MAX_BODY_MB allows, or its JSON than KEDGE_MAX_JSON_MB.'),
  500: refused('The runtime or the server failed; the log tells more.'),
  501: refused('The content encoding is none that this server reads: gzip and deflate are.'),
  503: refused('Not answered now: loading, draining, or too much to be answered in time.', {
    'retry-after': { description: 'Seconds until it is worth asking again.', schema: { type: 'integer' } },
  }),
} as const;

export type FailureStatus = keyof typeof FAILURES;

/** References to {@link FAILURES}, for the responses of an operation. */
export function failures(statuses: readonly FailureStatus[]): Record<string, object> {
  return Object.fromEntries(statuses.map((status) => [status, { $ref: `#/components/responses/${nameOf(status)}` }]));
}

/** The responses that `failures` refers to. */
export function failureComponents(): Record<string, object> {
  return Object.fromEntries(
    Object.entries(FAILURES).map(([status, response]) => [nameOf(Number(status) as FailureStatus), response]),
  );
}

function nameOf(status: FailureStatus): string {
  return `Status${status}`;
}
