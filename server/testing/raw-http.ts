import { connect, type Socket } from 'node:net';

/** One connection on which a test writes what it likes. */
export class RawConnection {
  readonly socket: Socket;
  #text = '';
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setEncoding('latin1').on('data', (chunk) => {
      this.#text += chunk;
      this.#wake();
    });
    this.socket
      .on('error', () => undefined)
      .on('close', () => {
        this.#closed = true;
        this.#wake();
      });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** What came and is no whole answer. */
  get rest(): string {
    return this.#text;
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  /** The next whole answer; undefined when the connection ended before one. */
  async answer(): Promise<{ status: number; head: string; body: string } | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\r\n\r\n');
      const head = this.#text.slice(0, Math.max(0, end));
      const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
      const whole = end + 4 + length;
      if (end >= 0 && this.#text.length >= whole) {
        const body = this.#text.slice(end + 4, whole);
        this.#text = this.#text.slice(whole);
        return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body };
      }
      if (this.#closed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  end(): void {
    this.socket.destroy();
  }
}

/** The head of a POST of JSON. */
export function postHead(path: string, headers: Record<string, string | number>): string {
  const lines = Object.entries({ host: 'kedge', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
