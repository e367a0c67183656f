import type { RefusalCode } from '../refusal.ts';

/** Bytes that a walk wants next. What it is sent must begin at `offset`; less than `length` means that the file ends. */
interface Ask {
  offset: number;
  length: number;
}

/** A step of reading that may need bytes which are not in the window yet. */
export type Walk<T> = Generator<Ask, T, Uint8Array>;

/** Why the bytes are no model, thrown inside a walk and turned into a refusal by whoever drives it. */
export class Broken extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The file has less bytes than it was said to have, so what came of it tells nothing. */
export class ShortRead extends Broken {
  constructor(there: number, size: number) {
    super('onnx-truncated', `it ends after ${there} of ${size} bytes`);
  }
}

/** Wire types of protobuf. Groups (3 and 4) are not used by ONNX. */
export const VARINT = 0;
const FIXED64 = 1;
export const LEN = 2;
export const FIXED32 = 5;

/** The longest name, and how much of a text is kept. */
const MAX_NAME = 65_536;
const KEPT_TEXT = 65_536;
/** Names, nodes and numbers that a head may hold, in bytes; a file that wants more is no model that a runtime loads. */
const MAX_KEPT = 64 * 2 ** 20;
/** Messages within messages, as the protobuf parser of the runtime counts them. */
const MAX_DEPTH = 100;

const SMALL_BLOCK = 4_096;
const LARGE_BLOCK = 65_536;
/** A tag and a varint after it take no more. */
const HEADER = 20;

const utf8 = new TextDecoder();

/**
 * The file as a window that moves over it, and the protobuf fields in it. Tensors are skipped by moving `pos`. The window is
 * small after a jump and grows while the walk goes straight on.
 *
 * A walk over a message is a loop: `while (source.pos < end) { if (source.short) yield* source.fill(); source.next(end); … }`.
 * It asks for bytes only where the window ends, because a generator for every field would take most of the time.
 */
export class Source {
  readonly size: number;
  pos = 0;
  /** The field that {@link next} found: its number, wire type, and where its payload ends. */
  field = 0;
  wire = 0;
  stop = 0;
  #low = 0;
  #high = 0;
  #window: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #start = 0;
  #block = LARGE_BLOCK;
  #kept = 0;
  #depth = 0;

  constructor(size: number) {
    this.size = size;
  }

  get #windowEnd(): number {
    return this.#start + this.#window.length;
  }

  /** Whether the window may end within the next field header. */
  get short(): boolean {
    return this.#lacks(HEADER);
  }

  #lacks(count: number): boolean {
    return this.pos < this.#start || Math.min(this.pos + count, this.size) > this.#windowEnd;
  }

  /** Moves the window to `pos`. */
  *fill(least = HEADER): Walk<void> {
    const straight = this.pos >= this.#start && this.pos <= this.#windowEnd;
    if (this.#window.length > 0) this.#block = straight ? Math.min(this.#block * 4, LARGE_BLOCK) : SMALL_BLOCK;
    const offset = this.pos;
    const length = Math.min(Math.max(this.#block, least), this.size - offset);
    const bytes = yield { offset, length };
    if (bytes.length < length) throw new ShortRead(offset + bytes.length, this.size);
    this.#window = bytes.subarray(0, length);
    this.#view = new DataView(this.#window.buffer, this.#window.byteOffset, length);
    this.#start = offset;
  }

  /** Counts what is kept of the file against the limit. */
  keep(bytes: number): void {
    this.#kept += bytes;
    if (this.#kept <= MAX_KEPT) return;
    throw new Broken('onnx-malformed', `its graph takes more than ${MAX_KEPT / 2 ** 20} MB without the weights`);
  }

  enter(): void {
    if (++this.#depth <= MAX_DEPTH) return;
    throw new Broken(
      'onnx-malformed',
      `its graphs lie in each other more than ${MAX_DEPTH} messages deep (about 33 If, Loop or Scan), which no runtime parses`,
    );
  }

  leave(): void {
    this.#depth--;
  }

  /**
   * The header of the next field of a message that ends at `end`. A varint is read whole (see {@link number},
   * {@link bigint}); of all others `pos` stands at the payload and `stop` behind it.
   */
  next(end: number): void {
    this.#varint(end);
    const tag = this.#low;
    this.wire = tag & 7;
    this.field = tag >>> 3;
    if (this.#high !== 0 || this.field === 0) throw this.#damaged('a field without a number');
    if (this.wire === VARINT) this.#varint(end);
    const length = this.#payload(end);
    this.stop = this.pos + length;
    if (this.stop <= end) return;
    if (this.stop > this.size) {
      throw new Broken(
        'onnx-truncated',
        `it ends after ${this.size} bytes, at least ${this.stop - this.size} bytes early`,
      );
    }
    throw this.#damaged(`a field that is longer than what it is part of`);
  }

  #payload(end: number): number {
    if (this.wire === VARINT) return 0;
    if (this.wire === FIXED32) return 4;
    if (this.wire === FIXED64) return 8;
    if (this.wire !== LEN) throw this.#damaged(`a field of wire type ${this.wire}`);
    this.#varint(end);
    return this.number;
  }

  /** At most 64 bits; what is beyond is dropped, as protobuf does. */
  #varint(end: number): void {
    const begin = this.pos;
    const limit = Math.min(end, this.#windowEnd) - this.#start;
    let at = begin - this.#start;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= limit) throw this.#cut(end);
      const byte = this.#window[at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else high |= (bits & 1) << 31;
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        this.pos = this.#start + at;
        return;
      }
    }
    throw this.#damaged('a number of more than ten bytes');
  }

  #cut(end: number): Broken {
    if (end < this.size) return this.#damaged('a number that is longer than what it is part of');
    return new Broken('onnx-truncated', `it ends after ${this.size} bytes, within a number`);
  }

  #damaged(what: string): Broken {
    return new Broken('onnx-malformed', `byte ${this.pos} begins ${what}`);
  }

  /** The varint just read, unsigned; inexact beyond 2^53. */
  get number(): number {
    return this.#high * 2 ** 32 + this.#low;
  }

  /** The varint just read as a signed 64-bit integer. */
  get bigint(): bigint {
    if (this.#high === 0) return BigInt(this.#low);
    return BigInt.asIntN(64, (BigInt(this.#high) << 32n) | BigInt(this.#low));
  }

  /** The varint just read as protobuf's int32 or enum. */
  get int32(): number {
    return this.#low | 0;
  }

  /** @throws Broken unless the field just found has that wire type */
  expect(wire: number): void {
    if (this.wire !== wire) throw this.#damaged(`field ${this.field} of wire type ${this.wire} instead of ${wire}`);
  }

  skip(): void {
    this.pos = this.stop;
  }

  /** A name. */
  *name(): Walk<string> {
    this.expect(LEN);
    if (this.stop - this.pos > MAX_NAME) throw this.#damaged(`a name of ${this.stop - this.pos} bytes`);
    return yield* this.text();
  }

  /** The payload of the field just found as text, cut after {@link KEPT_TEXT} bytes. */
  *text(): Walk<string> {
    this.expect(LEN);
    this.keep(16 + Math.min(this.stop - this.pos, KEPT_TEXT));
    return utf8.decode(yield* this.payload(KEPT_TEXT));
  }

  /** At most `most` bytes of the payload of the field just found; they are valid until the window moves. */
  *payload(most: number): Walk<Uint8Array> {
    const stop = this.stop;
    const length = Math.min(stop - this.pos, most);
    if (this.#lacks(length)) yield* this.fill(length);
    const at = this.pos - this.#start;
    this.pos = stop;
    return this.#window.subarray(at, at + length);
  }

  /** The 32-bit float of the field just found; the window must reach over it, as it does after {@link fill}. */
  float(): number {
    this.expect(FIXED32);
    const value = this.#view.getFloat32(this.pos - this.#start, true);
    this.pos = this.stop;
    return value;
  }

  /** A varint of a packed list that ends at `end`. */
  element(end: number): void {
    this.#varint(end);
  }
}
