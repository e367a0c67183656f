/** A field of a protobuf message in memory. The bytes are those of the model, not a copy. */
export interface Field {
  number: number;
  /** The field with its tag, as it stands in the message. */
  whole: Uint8Array;
  /** The payload of a length-delimited or fixed field; empty for a varint. */
  payload: Uint8Array;
  /** The value of a varint, as 64 unsigned bits. */
  varint: bigint;
}

const FIXED_BYTES: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

/** The fields of a message, one after another. @throws RangeError where the bytes are no protobuf message */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0;
  const readVarint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (at >= message.length) break;
      const byte = message[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new RangeError('a number in the protobuf message does not end');
  };
  while (at < message.length) {
    const start = at;
    const tag = Number(readVarint());
    const wire = tag % 8;
    const varint = wire === 0 || wire === 2 ? readVarint() : 0n;
    const length = wire === 2 ? Number(varint) : wire === 0 ? 0 : FIXED_BYTES[wire];
    if (length === undefined || at + length > message.length) {
      throw new RangeError('a field in the protobuf message does not end');
    }
    const payload = message.subarray(at, at + length);
    at += length;
    yield { number: Math.floor(tag / 8), whole: message.subarray(start, at), payload, varint };
  }
}

/** The numbers of a repeated varint field, packed or not. */
export function varintsOf({ payload, varint }: Field): bigint[] {
  if (payload.length === 0) return [varint];
  const values: bigint[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of payload) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80) continue;
    values.push(BigInt.asUintN(64, value));
    value = 0n;
    shift = 0n;
  }
  return values;
}

const utf8 = new TextDecoder();

export function textOf({ payload }: Field): string {
  return utf8.decode(payload);
}
