import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { KedgeError } from '../../contract/errors.ts';

/** Content encodings that are taken and given; deflate is the zlib format, as HTTP has it. */
export type Encoding = 'gzip' | 'deflate';
const ENCODINGS = 'gzip, deflate';

const DEFLATE = { gzip: promisify(zlib.gzip), deflate: promisify(zlib.deflate) } as const;
const NAMES = new Map<string, Encoding | undefined>([
  ['', undefined],
  ['identity', undefined],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
]);

/** Answers below this many bytes are sent as they are: they fit into a packet all the same. */
const MIN_BYTES = 1024;
/** Fast rather than small: the time is the server's. */
const LEVEL = 1;

/** The encoding of a request; undefined for none. @throws KedgeError `encoding-unsupported` */
export function requestEncoding(header: string | undefined): Encoding | undefined {
  const name = (header ?? '').trim().toLowerCase();
  if (NAMES.has(name)) return NAMES.get(name);
  throw new KedgeError(
    'encoding-unsupported',
    `Content-Encoding ${name.slice(0, 80)} is not supported: send ${ENCODINGS} or the body as it is.`,
  );
}

/** The encoding of an answer of that many bytes; undefined for none. @param accepted the header Accept-Encoding */
export function answerEncoding(accepted: string | undefined, bytes: number): Encoding | undefined {
  if (accepted === undefined || bytes < MIN_BYTES) return undefined;
  const weights = new Map(accepted.toLowerCase().split(',').map(parseCoding));
  const weightOf = (name: string): number => weights.get(name) ?? weights.get('*') ?? 0;
  const gzip = weightOf('gzip');
  const deflate = weightOf('deflate');
  if (gzip === 0 && deflate === 0) return undefined;
  // What the client would rather have as it is, is left so.
  if ((weights.get('identity') ?? 0) > Math.max(gzip, deflate)) return undefined;
  return gzip >= deflate ? 'gzip' : 'deflate';
}

/** `gzip;q=0.5` as its name and weight. */
function parseCoding(coding: string): [string, number] {
  const [name = '', ...parameters] = coding.split(';').map((part) => part.trim());
  const q = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = q === undefined ? 1 : Number(q.slice(2));
  return [name, Math.max(0, weight || 0)];
}

export function compress(body: string | Uint8Array, encoding: Encoding): Promise<Buffer<ArrayBuffer>> {
  return DEFLATE[encoding](body, { level: LEVEL }) as Promise<Buffer<ArrayBuffer>>;
}
