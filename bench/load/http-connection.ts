import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type AnswerHead, readHead, unchunk } from './http-answer.ts';

/** The body lies in memory that is used again: it holds during the call alone. */
export interface HttpAnswer {
  status: number;
  /** Status line and headers, as they came. */
  head: string;
  body: Buffer;
}

/** @param answer undefined where the connection broke before it was whole; `why` tells then */
export type OnHttpAnswer = (answer: HttpAnswer | undefined, why?: string) => void;

const READ_BYTES = 65_536;
const LINE_FEED = 0x0a;

/**
 * One connection of HTTP/1.1 with at most one request under way: a raw socket, as a request over it takes a third of the CPU that undici takes and a sixth of what node:http
 * takes (17, 52 and 111 us, measured beside each other), and a driver on the machine of what it measures must not take its time. States: open (connecting included), busy from `send` until the
 * answer is whole, closed for good when the socket is, whoever closed it. Nothing is sent again: what was written and not answered has failed.
 */
export class HttpConnection {
  readonly #socket: Socket;
  readonly #onClosed: (connection: HttpConnection) => void;
  #onAnswer: OnHttpAnswer | undefined;
  #head: AnswerHead | undefined;
  /** Bytes of an answer that is not whole yet, but for its head once that is read. */
  #parts: Buffer[] = [];
  #size = 0;
  #why = 'the server closed the connection';
  /** Requests that were sent over it. */
  sent = 0;

  constructor({ protocol, hostname, port }: URL, onClosed: (connection: HttpConnection) => void) {
    this.#onClosed = onClosed;
    const host = hostname.replace(/^\[|\]$/g, '');
    if (protocol === 'https:') {
      this.#socket = connectTls({ host, port: Number(port || 443), servername: host });
      this.#socket.setNoDelay(true).on('data', (chunk: Buffer) => this.#receive(chunk));
    } else {
      // Reading into one buffer of its own spares the stream machinery of each chunk.
      const callback = (size: number, buffer: Uint8Array): boolean => {
        this.#receive(Buffer.from(buffer.buffer, buffer.byteOffset, size));
        return true;
      };
      const onread = { buffer: Buffer.allocUnsafe(READ_BYTES), callback };
      this.#socket = createConnection({ host, port: Number(port || 80), noDelay: true, onread });
    }
    this.#socket.on('error', ({ message, code }: NodeJS.ErrnoException) => {
      // An AggregateError over several addresses has no message.
      this.#why = message || String(code);
    });
    this.#socket.on('end', () => this.#ended());
    this.#socket.on('close', () => this.#closed());
  }

  /** Whether it can take a request, as far as is known here. */
  get usable(): boolean {
    return !this.#onAnswer && this.#socket.writable && !this.#socket.readableEnded;
  }

  send(bytes: Uint8Array, onAnswer: OnHttpAnswer): void {
    this.#onAnswer = onAnswer;
    this.sent += 1;
    this.#socket.write(bytes);
  }

  /** Closes it. A request that is under way has failed. */
  close(why = 'closed'): void {
    this.#why = why;
    this.#socket.destroy();
    this.#answered(undefined);
  }

  #receive(chunk: Buffer): void {
    if (!this.#onAnswer) {
      // Nothing was asked for: such as 408 on an idle connection.
      this.#socket.destroy();
      return;
    }
    const bytes = this.#head ? chunk : this.#takeHead(chunk);
    if (!bytes) return;
    const { bodyLength, chunked } = this.#head!;
    this.#size += bytes.length;
    // Where the answer came whole, nothing is copied. The next chunk is read into the same buffer, so that any other part is.
    const first = this.#parts.length === 0;
    if (!first || bodyLength !== bytes.length) this.#parts.push(Buffer.from(bytes));
    if (bodyLength !== undefined && this.#size >= bodyLength) {
      this.#answered(first ? bytes : Buffer.concat(this.#parts));
    } else if (chunked && bytes.at(-1) === LINE_FEED) {
      const body = unchunk(Buffer.concat(this.#parts));
      if (body) this.#answered(body);
    }
  }

  /** @returns what came behind the head; undefined while that is not whole */
  #takeHead(chunk: Buffer): Buffer | undefined {
    let bytes = this.#parts.length > 0 ? Buffer.concat([...this.#parts, chunk]) : chunk;
    for (;;) {
      const head = readHead(bytes);
      if (!head) {
        this.#parts = [Buffer.from(bytes)];
        return undefined;
      }
      if (head.status === 0) {
        this.close('what came is no answer of HTTP/1.1');
        return undefined;
      }
      bytes = bytes.subarray(head.length);
      // Others precede the answer proper: 100, 103.
      if (head.status < 200) continue;
      this.#head = head;
      this.#parts = [];
      return bytes;
    }
  }

  /** The server will send no more. An answer without a length ends here. */
  #ended(): void {
    const head = this.#head;
    if (head && head.bodyLength === undefined && !head.chunked) this.#answered(Buffer.concat(this.#parts));
    this.#socket.destroy();
  }

  #closed(): void {
    this.#answered(undefined);
    this.#onClosed(this);
  }

  #answered(body: Buffer | undefined): void {
    const onAnswer = this.#onAnswer;
    const head = this.#head;
    this.#onAnswer = undefined;
    this.#head = undefined;
    this.#parts = [];
    this.#size = 0;
    const surplus = head?.bodyLength !== undefined && body !== undefined && body.length > head.bodyLength;
    if (head?.closes || surplus) this.#socket.destroy();
    if (body && head) onAnswer?.({ status: head.status, head: head.text, body: body.subarray(0, head.bodyLength) });
    else onAnswer?.(undefined, this.#why);
  }
}
