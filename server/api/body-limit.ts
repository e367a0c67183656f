import type { IncomingHttpHeaders } from 'node:http';
import { KedgeError } from '../../contract/errors.ts';
import { LENGTH_HEADER } from './request-body.ts';

/** How much of a body is taken, compressed or not. */
export interface BodyLimit {
  maxBytes: number;
  /** That of JSON, which is parsed on the serving loop; else of the whole body, which may hold tensors that need no parsing. */
  json: boolean;
}

/** Without the length header all of the body is JSON, so that its limit can be told before it is read. */
export function limitOf(
  headers: IncomingHttpHeaders,
  { maxBodyBytes, maxJsonBytes }: { maxBodyBytes: number; maxJsonBytes: number },
): BodyLimit {
  const json = headers[LENGTH_HEADER] === undefined && maxJsonBytes < maxBodyBytes;
  return { maxBytes: json ? maxJsonBytes : maxBodyBytes, json };
}

/** What a body over the limit is refused with. */
export function tooLarge({ maxBytes, json }: BodyLimit): KedgeError {
  const mebibytes = maxBytes / 2 ** 20;
  return new KedgeError(
    'body-too-large',
    json
      ? `The JSON of the request is over the limit of ${mebibytes} MiB: send the tensors as binary data, send fewer rows in a request, or raise KEDGE_MAX_JSON_MB.`
      : `The body is over the limit of ${mebibytes} MiB: send fewer rows in a request, or raise KEDGE_MAX_BODY_MB.`,
  );
}
