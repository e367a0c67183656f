import { isUtf8 } from 'node:buffer';
import type { Tensor } from '../../contract/tensor.ts';
import { invalid } from './parse.ts';

/**
 * Strings of the runtime are text, while BYTES are any bytes. Bytes that are no UTF-8 travel through the runtime as the last 128 code
 * points of private use, U+10FF80 to U+10FFFF, one for each byte from 0x80, and become bytes again in what is answered. A model
 * that looks into such strings sees these characters; one that only passes them on gives every byte back.
 */
const STAND_IN_BASE = 0x10_ff00;
const STAND_IN = /\udbff[\udf80-\udfff]/;
/** The bytes that a stand-in begins with in UTF-8; the third is 0xbe or 0xbf. */
const STAND_IN_START = Buffer.from([0xf4, 0x8f]);
const STAND_IN_THIRD = 0xbe;
const LENGTH_BYTES = 4;

/** What was seen in the strings of one request. */
export class TextMarks {
  /** Some bytes were no UTF-8, and stand-ins took their place. */
  standIns = false;
  /** Some strings hold the very characters that stand in. */
  #taken = false;

  /** Looks at text that came as such. */
  see(tensor: Tensor): Tensor {
    if (Array.isArray(tensor.data)) for (const text of tensor.data) this.seeText(text);
    return tensor;
  }

  seeText(text: string): string {
    this.#taken ||= STAND_IN.test(text);
    return text;
  }

  /** Text of any bytes. */
  textOf(bytes: Buffer): string {
    const text = bytes.toString('utf8');
    if (!this.#taken) this.#taken = bytes.includes(STAND_IN_START) && holdsStandIns(bytes);
    if (!text.includes('\ufffd') || isUtf8(bytes)) return text;
    this.standIns = true;
    return withStandIns(bytes);
  }

  /** @throws KedgeError `request-invalid` where a request holds both the stand-ins and the characters that they are */
  check(): void {
    if (!this.standIns || !this.#taken) return;
    throw invalid(
      'The strings hold bytes that are no UTF-8 beside characters from U+10FF80 to U+10FFFF, which carry such bytes through the runtime: leave out one of them.',
    );
  }
}

function withStandIns(bytes: Buffer): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = sequenceLength(bytes[at]!);
    const sequence = bytes.subarray(at, at + size);
    if (sequence.length === size && isUtf8(sequence)) {
      parts.push(sequence.toString('utf8'));
      at += size;
    } else {
      parts.push(String.fromCodePoint(STAND_IN_BASE + bytes[at]!));
      at += 1;
    }
  }
  return parts.join('');
}

/** Bytes of a sequence in UTF-8 by its first one. What cannot begin one is taken alone. */
function sequenceLength(first: number): number {
  if (first < 0xc0) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

function isStandIn(bytes: Buffer, at: number): boolean {
  return (
    bytes[at] === STAND_IN_START[0] && bytes[at + 1] === STAND_IN_START[1] && (bytes[at + 2]! & 0xfe) === STAND_IN_THIRD
  );
}

function holdsStandIns(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(STAND_IN_START); at >= 0; at = bytes.indexOf(STAND_IN_START, at + 1)) {
    if (isStandIn(bytes, at)) return true;
  }
  return false;
}

/** Whether a text holds what stands for bytes that are no UTF-8, provided that its request had any. */
export function hasStandIns(text: string): boolean {
  return STAND_IN.test(text);
}

/** The opposite of {@link TextMarks.textOf}. @param standIns whether the request had any */
export function bytesOfText(text: string, standIns: boolean): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (!standIns || !hasStandIns(text)) return bytes;
  const plain = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; length += 1) {
    if (isStandIn(bytes, at)) {
      plain[length] = 0x80 | ((bytes[at + 2]! & 1) << 6) | (bytes[at + 3]! & 0x3f);
      at += 4;
    } else {
      plain[length] = bytes[at]!;
      at += 1;
    }
  }
  return plain.subarray(0, length);
}

/**
 * Elements of BYTES as they travel: each with its length before it, 32 bits little-endian.
 * @throws KedgeError `request-invalid` where the blob does not hold exactly `count`
 */
export function readByteStrings(where: string, blob: Buffer, count: number, marks: TextMarks): string[] {
  const texts: string[] = [];
  let at = 0;
  // Each element takes 4 bytes at least, so that a large shape over a short blob ends soon.
  while (texts.length < count) {
    const start = at + LENGTH_BYTES;
    if (start > blob.length) {
      throw invalid(`${where}: its binary data ends before element ${texts.length}, and its shape takes ${count}.`);
    }
    const length = blob.readUInt32LE(at);
    at = start + length;
    if (at > blob.length) {
      throw invalid(`${where}: element ${texts.length} declares ${length} bytes, and ${blob.length - start} are left.`);
    }
    texts.push(marks.textOf(blob.subarray(start, at)));
  }
  if (at === blob.length) return texts;
  throw invalid(`${where}: ${blob.length - at} bytes of its binary data are left after ${count} elements.`);
}

/** The opposite of {@link readByteStrings}. */
export function writeByteStrings(texts: readonly string[], standIns: boolean): Buffer {
  const elements = texts.map((text) => bytesOfText(text, standIns));
  const blob = Buffer.allocUnsafe(elements.reduce((total, { length }) => total + length + LENGTH_BYTES, 0));
  let at = 0;
  for (const element of elements) {
    at = blob.writeUInt32LE(element.length, at);
    at += element.copy(blob, at);
  }
  return blob;
}
