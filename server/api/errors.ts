import { KedgeError } from '../../contract/errors.ts';
import { stringifyJson } from '../../contract/json.ts';
import type { Log } from '../../platform/log.ts';
import { ClientGone } from '../gate/client-gone.ts';
import { type Reply, responseOf } from './reply.ts';

/** Exactly this, without a charset: the KServe SDK shows the reason of an error only then. */
const JSON_HEADERS: Readonly<Record<string, string>> = { 'content-type': 'application/json' };

/** Seconds after which a client may ask again what cannot be answered now. */
const RETRY_AFTER = '1';

export function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), { status, headers: JSON_HEADERS });
}

/** The status that an error is answered with, and counted as. */
export function statusOf(error: unknown): number {
  if (error instanceof ClientGone) return 499;
  return error instanceof KedgeError ? error.status : 500;
}

export interface ErrorOptions {
  /** Of the version that was asked, if one was chosen. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Further keys of the body. */
  more?: object;
}

/**
 * `{"error": sentence, "code": stable code}`. What is no KedgeError is a defect: it is logged whole, and told without its text.
 * What the client asked for and this server does not do (501), or not yet (503), is not worth a warning.
 */
export function errorReply(error: unknown, log: Log, { headers, more = {} }: ErrorOptions = {}): Reply {
  if (error instanceof ClientGone) return { status: 400, headers: {}, body: null };
  if (!(error instanceof KedgeError)) log.error({ err: error }, 'unexpected error while answering a request');
  else if (error.status >= 500 && error.status !== 501 && error.status !== 503)
    log.warn({ code: error.code, cause: error.cause }, error.message);
  const { code, message, status } =
    error instanceof KedgeError
      ? error
      : { code: 'internal', message: 'An unexpected error; the log of the server tells more.', status: 500 };
  const extra: Record<string, string> = {};
  if (status === 503) extra['retry-after'] = retryAfterOf(error);
  if (status === 405 && error instanceof KedgeError && 'allow' in error.details)
    extra['allow'] = String(error.details['allow']);
  if (status === 401) extra['www-authenticate'] = 'Bearer';
  if (code === 'encoding-unsupported') extra['accept-encoding'] = 'gzip, deflate';
  const body = JSON.stringify({ error: message, code, ...more });
  return { status, headers: { ...JSON_HEADERS, ...headers, ...extra }, body };
}

export function errorResponse(error: unknown, log: Log, options?: ErrorOptions): Response {
  return responseOf(errorReply(error, log, options));
}

function retryAfterOf(error: unknown): string {
  const seconds = error instanceof KedgeError ? error.details['retryAfter'] : undefined;
  return seconds === undefined ? RETRY_AFTER : String(seconds);
}

/** A value as a sentence shows it: short, and safe to print. */
export function show(value: unknown): string {
  const text = (stringifyJson(value) as string | undefined) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
