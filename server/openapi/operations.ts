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
};

export function getOperation(
  tag: string,
  operationId: string,
  summary: string,
  answer: AnswerName,
  statuses: readonly FailureStatus[] = [],
): Operation {
  return {
    tags: [tag],
    operationId,
    summary,
    responses: { 200: { description: 'As asked.', content: json(answer) }, ...failures(statuses) },
  };
}

export function json(schema: string): object {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } };
}
