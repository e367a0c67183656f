import type { IncomingMessage } from 'node:http';
import { KedgeError } from '../../contract/errors.ts';
import { ClientGone } from './errors.ts';

/** How long the rest of a body that is too large is read away, so that its sender gets to the answer. */
const DISCARD_MS = 5_000;

/**
 * The whole body, read from Node's own request: Hono's ways to it cost more than the rest of a request.
 * A body over the limit is read away before it is refused, up to twice the limit, so that the connection stays usable.
 * @throws KedgeError `body-too-large`, `encoding-unsupported`; ClientGone
 */
export function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const encoding = incoming.headers['content-encoding'];
  if (encoding && encoding.toLowerCase() !== 'identity') return Promise.reject(unsupported(encoding));
  if (incoming.destroyed) return Promise.reject(new ClientGone());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let timer: NodeJS.Timeout | undefined;

    const settle = (error?: Error): void => {
      clearTimeout(timer);
      incoming.off('data', onData).off('end', onEnd).off('close', onClose);
      if (error) reject(error);
      else resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    };
    const discard = (): void => {
      chunks.length = 0;
      timer ??= setTimeout(() => settle(tooLarge(maxBytes)), DISCARD_MS);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (timer === undefined && size <= maxBytes) chunks.push(chunk);
      else if (size > 2 * maxBytes) settle(tooLarge(maxBytes));
      else discard();
    };
    const onEnd = (): void => settle(timer === undefined ? undefined : tooLarge(maxBytes));
    const onClose = (): void => settle(new ClientGone());

    const declared = Number(incoming.headers['content-length'] ?? 0);
    if (declared > 2 * maxBytes) return reject(tooLarge(maxBytes));
    if (declared > maxBytes) discard();
    // A connection that breaks raises 'error' and then 'close'.
    incoming
      .on('data', onData)
      .on('end', onEnd)
      .on('close', onClose)
      .on('error', () => undefined);
  });
}

function tooLarge(maxBytes: number): KedgeError {
  return new KedgeError(
    'body-too-large',
    `The body is over the limit of ${maxBytes / 2 ** 20} MiB: send fewer rows in a request, or raise KEDGE_MAX_BODY_MB.`,
  );
}

function unsupported(encoding: string): KedgeError {
  return new KedgeError(
    'encoding-unsupported',
    `Content-Encoding ${encoding} is not supported: send the body as it is.`,
  );
}
