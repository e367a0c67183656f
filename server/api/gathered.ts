/**
 * Bytes that come in pieces, in one buffer that doubles: it takes no more than twice their number, however small the pieces are, each of which would take some
 * hundred bytes if it were kept.
 */
export class Gathered {
  readonly #most: number;
  #buffer: Buffer | undefined;
  #size = 0;

  /** @param most how many there are at most */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  add(piece: Buffer): void {
    const size = this.#size + piece.length;
    if (this.#buffer === undefined) this.#buffer = piece;
    else {
      if (size > this.#buffer.length) {
        const grown = Buffer.allocUnsafe(Math.max(size, Math.min(this.#most, 2 * size)));
        this.#buffer.copy(grown, 0, 0, this.#size);
        this.#buffer = grown;
      }
      piece.copy(this.#buffer, this.#size);
    }
    this.#size = size;
  }

  /** All of them, in the buffer that holds them. */
  whole(): Buffer {
    return this.#buffer?.subarray(0, this.#size) ?? Buffer.alloc(0);
  }
}
