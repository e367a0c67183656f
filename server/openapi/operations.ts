import { type AnswerName, type FailureStatus, failures } from './answers.ts';

export type Operation = Readonly<Record<string, unknown>>;
export type Paths = Record<string, Record<string, Operation>>;

/** Of every prediction that was answered. */
export const HEADERS = {
  'kedge-model-version': { description: 'The version that answered.', schema: { type: 'string' } },
  'kedge-model-digest': { description: 'Its digest.', schema: { type: 'string' } },
};

export const PARAMETERS = {
  timeout: {
    name: 'kedge-timeout-ms',
    in: 'header',
    description: 'Time for the answer, in milliseconds; what cannot keep it is refused at once.',
    schema: { type: 'number', exclusiveMinimum: 0 },
  },
  jsonLength: {
    name: 'Inference-Header-Content-Length',
    in: 'header',
    description:
      'Of a body with binary tensors: how many of its bytes, before compression, are JSON; 0 where all of it is the only input.',
    schema: { type: 'integer', minimum: 0, maximum: 2 ** 31 - 1 },
  },
};

export function getOperation(
  tag: string,
  operationId: string,
  summary: string,
  answer: AnswerName,
  statuses: readonly FailureStatus[] = [],
  parameters: readonly object[] = [],
): Operation {
  return {
    tags: [tag],
    operationId,
    summary,
    ...(parameters.length > 0 && { parameters }),
    responses: { 200: { description: 'As asked.', content: json(answer) }, ...failures(statuses) },
  };
}

export function json(schema: string): object {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } };
}
