/**
 * Every error that Kedge raises on purpose has a stable code from this table. `status` is the HTTP status where the error
 * reaches a client; `exit` is the exit code where it ends a command. Codes are part of the contract: scripts and alerts
 * name them, so they are added to and never renamed.
 */
export const ERRORS = {
  'config-invalid': { status: 500, exit: 2, about: 'settings or arguments are missing or wrong' },
  'name-invalid': { status: 404, exit: 2, about: 'a model name or version number is not well formed' },
  'path-invalid': { status: 400, exit: 2, about: 'a file path would leave its folder or cannot be stored everywhere' },
  'source-invalid': {
    status: 400,
    exit: 2,
    about: 'what was given to publish is not a model or a folder that holds one',
  },
  'document-invalid': {
    status: 500,
    exit: 4,
    about: 'a document in the bucket or on the volume does not have its form',
  },
  'bucket-unreachable': { status: 503, exit: 3, about: 'the bucket did not answer, or refused the credentials' },
  'object-missing': { status: 404, exit: 4, about: 'an object that was asked for is not in the bucket' },
  'object-changed': { status: 409, exit: 4, about: 'an object changed while it was read or written' },
  'object-corrupt': { status: 500, exit: 4, about: 'an object has other bytes than its manifest names' },
  conflict: { status: 409, exit: 4, about: 'others kept writing at the same time, or the name is taken' },
  'volume-locked': { status: 503, exit: 5, about: 'another loader holds the volume' },
  'volume-failed': { status: 503, exit: 5, about: 'the volume is full, read-only or broken' },
  'database-unreachable': {
    status: 503,
    exit: 3,
    about: 'the database of the history did not answer, or let no one in',
  },
  'database-locked': { status: 503, exit: 5, about: 'another process has the folder of the history open' },
  'database-failed': { status: 500, exit: 4, about: 'the database of the history refused what was asked of it' },
  'model-unknown': { status: 404, exit: 4, about: 'no model of that name is known' },
  'version-unknown': { status: 404, exit: 4, about: 'the model has no such version' },
  'model-not-ready': { status: 503, exit: 6, about: 'the model or version is known but cannot answer now' },
  unauthenticated: { status: 401, exit: 2, about: 'the request needs a token that this server knows' },
  forbidden: { status: 403, exit: 2, about: 'the token or the place that the request comes from does not allow this' },
  overloaded: { status: 503, exit: 6, about: 'more waits than can be answered in time' },
  'request-invalid': { status: 400, exit: 2, about: 'the request is not one that the model can answer' },
  'request-malformed': { status: 400, exit: 2, about: 'what came is no well-formed HTTP request' },
  'request-timeout': { status: 408, exit: 2, about: 'the request did not come whole in time' },
  'headers-too-large': { status: 431, exit: 2, about: 'the headers of the request are over the limit' },
  'expectation-failed': { status: 417, exit: 2, about: 'the header Expect asks for what there is not' },
  'route-unknown': { status: 404, exit: 2, about: 'there is nothing at that path' },
  'method-not-allowed': { status: 405, exit: 2, about: 'that path takes another method' },
  'body-too-large': { status: 413, exit: 2, about: 'the request body is over the limit' },
  'encoding-unsupported': { status: 501, exit: 2, about: 'the content encoding is not supported' },
  'engine-failed': { status: 500, exit: 6, about: 'the runtime failed on a run' },
  'engine-timeout': { status: 503, exit: 6, about: 'a load or a run took longer than its limit and was ended' },
  'engine-crashed': { status: 503, exit: 6, about: 'the process that ran the model died' },
  'engine-memory': {
    status: 503,
    exit: 6,
    about: 'the process that ran the model passed its memory limit and was ended',
  },
  'estimator-failed': { status: 400, exit: 6, about: 'the estimator could not read a domain row' },
  'estimator-defect': { status: 500, exit: 6, about: 'the estimator failed on what the model answered' },
  'estimator-invalid': { status: 500, exit: 2, about: 'a file in the estimators folder does not export an estimator' },
  'data-invalid': { status: 400, exit: 2, about: 'a table or a history is not one that a model can be learned from' },
  'fit-failed': { status: 500, exit: 6, about: 'fitting a model went wrong' },
  'queue-unreachable': { status: 503, exit: 3, about: 'the queue of the training did not answer, or let no one in' },
  'queue-full': { status: 503, exit: 3, about: 'the queue of the training has no memory left' },
  'queue-failed': { status: 500, exit: 4, about: 'the queue of the training refused what was asked of it' },
  'fit-timeout': { status: 500, exit: 6, about: 'fitting a model took longer than its limit and was ended' },
  'fit-crashed': { status: 500, exit: 6, about: 'the process that fitted a model died' },
  'training-incomplete': {
    status: 500,
    exit: 42,
    about: 'models lack a version after a training: tasks failed for good, or the gate kept the first one back',
  },
  'shutting-down': { status: 503, exit: 0, about: 'the server is draining' },
  internal: { status: 500, exit: 1, about: 'a defect in Kedge; please report it' },
} as const;

export type ErrorCode = keyof typeof ERRORS;

export interface KedgeErrorOptions {
  cause?: unknown;
  /** Further facts for logs; never shown to clients. */
  details?: Record<string, unknown>;
}

/** An error with a stable {@link ErrorCode} and a sentence that says what to do. */
export class KedgeError extends Error {
  readonly code: ErrorCode;
  readonly details: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, options: KedgeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'KedgeError';
    this.code = code;
    this.details = options.details ?? {};
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get exit(): number {
    return ERRORS[this.code].exit;
  }
}

/** The sentence of anything thrown, for logs and refusals. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

export function hasCode(thrown: unknown, code: ErrorCode): thrown is KedgeError {
  return thrown instanceof KedgeError && thrown.code === code;
}
