/** Protobuf messages, written. Field numbers are those of the message that is being written. */
export class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;

  #room(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  /** A varint without a field: 64 bits, negative numbers in two's complement as protobuf's int64 has them. */
  varint(value: number | bigint): this {
    this.#room(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
    return this;
  }

  int(field: number, value: number | bigint): this {
    return this.varint(field * 8).varint(value);
  }

  float(field: number, value: number): this {
    this.varint(field * 8 + 5);
    this.#room(4);
    new DataView(this.#bytes.buffer).setFloat32(this.#length, value, true);
    this.#length += 4;
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.varint(field * 8 + 2).varint(value.length);
    return this.raw(value);
  }

  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value, 'utf8'));
  }

  /** Bytes as they are, such as a message that was written before. */
  raw(value: Uint8Array): this {
    this.#room(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  /** A message inside this one. */
  message(field: number, write: (inner: Writer) => unknown): this {
    const inner = new Writer();
    write(inner);
    return this.bytes(field, inner.done());
  }

  done(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}
