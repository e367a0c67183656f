import { createConnection, type Socket } from 'node:net';

const SEPARATOR = Buffer.from('\r\n\r\n');
const LENGTH = /content-length: *(\d+)/i;
const READ_BYTES = 65_536;

/** Status 0: the connection broke before the answer was whole. The body is there where it was asked for. */
export type OnAnswer = (status: number, body: string | undefined) => void;

/**
 * One keep-alive connection on a raw socket with at most one request under way; it connects again when the server closed it. Few cycles go into
 * it, so that the load does not become what is measured.
 */
export class Connection {
  readonly #port: number;
  readonly #bodies: boolean;
  #socket: Socket;
  #onAnswer: OnAnswer | undefined;
  #pending: Buffer | undefined;
  #closed = false;

  private constructor(port: number, bodies: boolean) {
    this.#port = port;
    this.#bodies = bodies;
    this.#socket = this.#connect();
  }

  /** @param bodies whether answers are given with their bodies */
  static async open(port: number, bodies = false): Promise<Connection> {
    const connection = new Connection(port, bodies);
    await new Promise((resolve, reject) => connection.#socket.once('connect', resolve).once('error', reject));
    return connection;
  }

  send(bytes: Uint8Array, onAnswer: OnAnswer): void {
    this.#onAnswer = onAnswer;
    this.#socket.write(bytes);
  }

  close(): void {
    this.#closed = true;
    this.#onAnswer = undefined;
    this.#socket.destroy();
  }

  #connect(): Socket {
    // Reading into one buffer of its own spares the stream machinery of each chunk.
    const onread = {
      buffer: Buffer.allocUnsafe(READ_BYTES),
      callback: (size: number, buffer: Uint8Array) => this.#receive(size, buffer),
    };
    const socket = createConnection({ port: this.#port, host: '127.0.0.1', noDelay: true, onread });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#closed) return;
      this.#socket = this.#connect();
      this.#pending = undefined;
      this.#answered(0);
    });
    return socket;
  }

  #receive(size: number, buffer: Uint8Array): boolean {
    const chunk = Buffer.from(buffer.buffer, buffer.byteOffset, size);
    const all = this.#pending ? Buffer.concat([this.#pending, chunk]) : chunk;
    const head = all.indexOf(SEPARATOR);
    const start = head + SEPARATOR.length;
    if (head < 0 || all.length < start + Number(LENGTH.exec(all.toString('latin1', 0, head))?.[1] ?? 0)) {
      // The next chunk is read into the same buffer.
      this.#pending = Buffer.from(all);
      return true;
    }
    this.#pending = undefined;
    const status = Number(all.toString('latin1', 'HTTP/1.1 '.length, 'HTTP/1.1 200'.length));
    this.#answered(status, this.#bodies ? all.toString('utf8', start) : undefined);
    return true;
  }

  #answered(status: number, body?: string): void {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = undefined;
    onAnswer?.(status, body);
  }
}
