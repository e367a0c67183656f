import type { IncomingMessage } from 'node:http';
import { ClientGone } from '../gate/client-gone.ts';
import { type BodyLimit, tooLarge } from './body-limit.ts';
import { requestEncoding } from './encoding.ts';
import { Gathered } from './gathered.ts';
import { decompress, type TakeBytes } from './inflate.ts';

/** How long the rest of a body that is too large is read away, so that its sender gets to the answer. */
const DISCARD_MS = 5_000;
/** The same where it was refused before any of it was read, which is what the adapter gives others. */
const DRAIN_MS = 500;
/** More than this does not come in one piece. */
const AT_ONCE_BYTES = 65_536;

/**
 * The whole body, decompressed; the limit holds for both of its lengths.
 * @param take told of bytes before they are kept, and of those that are kept no longer, as a negative number: in the end of as many as the body has
 * @throws KedgeError `body-too-large`, `encoding-unsupported`, `request-invalid` where it is not what its encoding says, and what `take` throws; ClientGone
 */
export function readBody(incoming: IncomingMessage, limit: BodyLimit, take: TakeBytes): Promise<Buffer> {
  const header = incoming.headers['content-encoding'];
  return header === undefined ? readPlain(incoming, limit, take) : readEncoded(incoming, header, limit, take);
}

/**
 * Most bodies come in the packet of their head, and Node has all of it when what it does with that packet is done. Taking them then, with neither
 * listeners nor the events of a stream's end, which nobody waits for, is the cheapest way to them.
 */
async function readPlain(incoming: IncomingMessage, limit: BodyLimit, take: TakeBytes): Promise<Buffer> {
  const declared = Number(incoming.headers['content-length']);
  if (!(declared > 0 && declared <= Math.min(limit.maxBytes, AT_ONCE_BYTES))) return readBytes(incoming, limit, take);
  // A request of which nothing was ever read is read away by Node once it is answered.
  incoming.read(0);
  await undefined;
  if (incoming.readableLength !== declared) return readBytes(incoming, limit, take);
  take(declared);
  return incoming.read() as Buffer;
}

/** Reads away what is left of a body that was refused unread, so that its sender gets to the answer and the connection stays usable. */
export function drain(incoming: IncomingMessage): void {
  const timer = setTimeout(() => incoming.socket.destroySoon(), DRAIN_MS);
  const done = (): void => clearTimeout(timer);
  incoming.on('end', done).on('close', done).resume();
}

async function readEncoded(
  incoming: IncomingMessage,
  header: string,
  limit: BodyLimit,
  take: TakeBytes,
): Promise<Buffer> {
  const encoding = requestEncoding(header);
  const packed = await readBytes(incoming, limit, take);
  if (!encoding) return packed;
  const body = await decompress(packed, encoding, limit, take);
  take(-packed.length);
  return body;
}

/**
 * The bytes as they come, read from Node's own request: Hono's ways to it cost more than the rest of a request.
 * A body over the limit is read away before it is refused, up to twice the limit, so that the connection stays usable. One that there is no room for is refused at once,
 * and what still comes of it is not kept.
 */
function readBytes(incoming: IncomingMessage, limit: BodyLimit, take: TakeBytes): Promise<Buffer> {
  if (incoming.destroyed) return Promise.reject(new ClientGone());
  const { maxBytes } = limit;
  return new Promise((resolve, reject) => {
    const declared = Number(incoming.headers['content-length'] ?? 0);
    let gathered = new Gathered(declared || maxBytes);
    let size = 0;
    let timer: NodeJS.Timeout | undefined;

    const settle = (error?: unknown): void => {
      clearTimeout(timer);
      incoming.off('data', onData).off('end', onEnd).off('close', onClose);
      if (error) reject(error);
      else resolve(gathered.whole());
    };
    const discard = (): void => {
      if (timer !== undefined) return;
      take(-gathered.size);
      gathered = new Gathered(0);
      timer = setTimeout(() => settle(tooLarge(limit)), DISCARD_MS);
    };
    const keep = (chunk: Buffer): void => {
      try {
        take(chunk.length);
        gathered.add(chunk);
      } catch (error) {
        settle(error);
      }
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (timer === undefined && size <= maxBytes) keep(chunk);
      else if (size > 2 * maxBytes) settle(tooLarge(limit));
      else discard();
    };
    const onEnd = (): void => settle(timer === undefined ? undefined : tooLarge(limit));
    const onClose = (): void => settle(new ClientGone());

    if (declared > 2 * maxBytes) return reject(tooLarge(limit));
    if (declared > maxBytes) discard();
    // A connection that breaks raises 'error' and then 'close'.
    incoming
      .on('data', onData)
      .on('end', onEnd)
      .on('close', onClose)
      .on('error', () => undefined);
  });
}
