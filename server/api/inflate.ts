import zlib from 'node:zlib';
import { type BodyLimit, tooLarge } from './body-limit.ts';
import type { Encoding } from './encoding.ts';
import { Gathered } from './gathered.ts';
import { invalid } from './parse.ts';

const INFLATE = { gzip: zlib.createGunzip, deflate: zlib.createInflate } as const;
/** Bodies that are unpacked at the same time: as many as Node has threads for it. Others wait, and hold only what came. */
const AT_ONCE = 4;
/** What is unpacked at a time, in bytes. */
const SMALLEST_PIECE = 4_096;
const LARGEST_PIECE = 65_536;

/** Called with how many bytes are about to be kept, or with a negative number of those that are kept no longer. @throws KedgeError `overloaded` where there is no room for them */
export type TakeBytes = (bytes: number) => void;

let underWay = 0;
const waiting: (() => void)[] = [];

/**
 * The body as it was before it was compressed. It stops at the limit, and where there is no room for more: a small body that becomes a huge one takes no more memory than
 * any other.
 * @throws KedgeError `body-too-large`, `request-invalid` where it is not what its encoding says, and what `take` throws
 */
export async function decompress(body: Buffer, encoding: Encoding, limit: BodyLimit, take: TakeBytes): Promise<Buffer> {
  if (underWay >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else underWay += 1;
  try {
    return await inflate(body, encoding, limit, take);
  } finally {
    // The place goes to the next one, if there is one.
    const next = waiting.shift();
    if (next) next();
    else underWay -= 1;
  }
}

function inflate(body: Buffer, encoding: Encoding, limit: BodyLimit, take: TakeBytes): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const notEncoded = (reason: string): void =>
    reject(invalid(`The body is not ${encoding}, or it is cut short: ${reason}.`));
  if (body.length === 0) {
    notEncoded('it is empty');
    return promise;
  }
  const chunkSize = Math.max(SMALLEST_PIECE, Math.min(LARGEST_PIECE, 4 * body.length));
  const stream = INFLATE[encoding]({ chunkSize });
  const gathered = new Gathered(limit.maxBytes);
  stream
    .on('data', (piece: Buffer) => {
      try {
        if (gathered.size + piece.length > limit.maxBytes) throw tooLarge(limit);
        take(piece.length);
        gathered.add(piece);
      } catch (error) {
        stream.destroy();
        reject(error);
      }
    })
    .on('end', () => resolve(gathered.whole()))
    .on('error', (error) => notEncoded(error.message))
    .end(body);
  return promise;
}
