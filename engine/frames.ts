import { KedgeError } from '../contract/errors.ts';

/**
 * Binary frames over a pipe, little-endian:
 *
 *   u32 bytes of all that follows | u32 bytes of the header | header: JSON in UTF-8 | zeros to a multiple of 8 | blob | zeros to 8 | blob …
 *
 * Offsets count from behind the first u32, so that every blob lies on a multiple of 8 in the array that a reader takes the
 * frame into, and a typed array can be laid over it without a copy. The header says how long each blob is.
 */
export interface Frame {
  header: unknown;
  blobs: Uint8Array[];
}

/** What a frame's header is wrapped in. */
interface Envelope {
  header: unknown;
  blobs: number[];
}

const ALIGNMENT = 8;
const LENGTH_BYTES = 4;
/** A longer frame is none of ours: the other side lost its mind. */
export const MAX_FRAME_BYTES = 2 ** 31;

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/**
 * The pieces of a frame, to be written one after another; blobs are not copied.
 * @throws KedgeError `request-invalid` for a frame beyond {@link MAX_FRAME_BYTES}
 */
export function encodeFrame({ header, blobs }: Frame): Uint8Array[] {
  const envelope: Envelope = { header, blobs: blobs.map((blob) => blob.byteLength) };
  const json = Buffer.from(JSON.stringify(envelope));
  const lead = aligned(LENGTH_BYTES + json.length);
  const total = blobs.reduce((sum, blob) => sum + aligned(blob.byteLength), lead);
  if (total > MAX_FRAME_BYTES) {
    throw new KedgeError(
      'request-invalid',
      `The tensors take ${total} bytes, and at most ${MAX_FRAME_BYTES} can be sent: send fewer rows.`,
    );
  }
  const head = Buffer.alloc(LENGTH_BYTES + lead);
  head.writeUInt32LE(total, 0);
  head.writeUInt32LE(json.length, LENGTH_BYTES);
  json.copy(head, 2 * LENGTH_BYTES);
  return [head, ...blobs.flatMap(padded)];
}

function padded(blob: Uint8Array): Uint8Array[] {
  const padding = aligned(blob.byteLength) - blob.byteLength;
  return padding === 0 ? [blob] : [blob, new Uint8Array(padding)];
}

function decodeFrame(body: Uint8Array): Frame {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const bytes = view.getUint32(0, true);
  const json = Buffer.from(body.buffer, body.byteOffset + LENGTH_BYTES, bytes).toString();
  const { header, blobs: lengths } = JSON.parse(json) as Envelope;
  let offset = aligned(LENGTH_BYTES + bytes);
  const blobs = lengths.map((length) => {
    const blob = body.subarray(offset, offset + length);
    offset += aligned(length);
    return blob;
  });
  return { header, blobs };
}

/**
 * Puts frames together from chunks as they come. A frame's array is allocated once, when its length is known, and each byte is
 * copied into it once.
 */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #length = new Uint8Array(LENGTH_BYTES);
  #lengthFilled = 0;
  #body: Uint8Array | undefined;
  #bodyFilled = 0;

  constructor({ maxBytes = MAX_FRAME_BYTES }: { maxBytes?: number } = {}) {
    this.#maxBytes = maxBytes;
  }

  /** The frames that are whole with this chunk. @throws RangeError for a length beyond the limit, SyntaxError for a header that is not JSON */
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      rest = this.#body ? this.#fillBody(this.#body, rest) : this.#fillLength(rest);
      if (!this.#body || this.#bodyFilled < this.#body.length) continue;
      frames.push(decodeFrame(this.#body));
      this.#body = undefined;
      this.#bodyFilled = 0;
      this.#lengthFilled = 0;
    }
    return frames;
  }

  #fillLength(chunk: Uint8Array): Uint8Array {
    const part = chunk.subarray(0, LENGTH_BYTES - this.#lengthFilled);
    this.#length.set(part, this.#lengthFilled);
    this.#lengthFilled += part.length;
    if (this.#lengthFilled === LENGTH_BYTES) this.#body = this.#allocate();
    return chunk.subarray(part.length);
  }

  #allocate(): Uint8Array {
    const total = new DataView(this.#length.buffer).getUint32(0, true);
    if (total < ALIGNMENT || total > this.#maxBytes) throw new RangeError(`a frame of ${total} bytes is none of ours`);
    return new Uint8Array(total);
  }

  #fillBody(body: Uint8Array, chunk: Uint8Array): Uint8Array {
    const part = chunk.subarray(0, body.length - this.#bodyFilled);
    body.set(part, this.#bodyFilled);
    this.#bodyFilled += part.length;
    return chunk.subarray(part.length);
  }
}
