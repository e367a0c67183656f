import { createConnection } from 'node:net';

/**
 * A closed loop over keep-alive connections on raw sockets: each sends its next request when the answer to the last one is whole, or after the time that a
 * refusal tells. Few
 * cycles go into it, so that it does not become what is measured. Started as a child; reads one job as JSON from argument 1, writes its result as JSON.
 *
 * `../load/closed-loop.ts` is the other closed loop, by autocannon, for who names that tool. It judges every answer, counts versions and takes many bodies, at 52 to 125 µs of CPU for
 * a request; this one, with one body and a look at the status, takes 16 to 19 (measured beside each other on two busy cores). Neither can stand for the other: benches that
 * share two cores with what they measure need the cycles, and users of the tool need the answers and the tool.
 */
export interface LoadJob {
  /** This machine if absent. */
  host?: string;
  port: number;
  path: string;
  body: string;
  connections: number;
  /** Milliseconds. */
  warmUpMs: number;
  durationMs: number;
}

export interface LoadResult {
  requests: number;
  /** Answers other than 200. */
  failed: number;
  seconds: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

const SEPARATOR = Buffer.from('\r\n\r\n');
const RETRY_AFTER = /retry-after: *(\d+)/i;
const LENGTH = /content-length: *(\d+)/i;
const READ_BYTES = 65_536;

/** Whether an answer begins with `HTTP/1.1 200`. */
function isOk(answer: Uint8Array): boolean {
  return answer[9] === 0x32 && answer[10] === 0x30 && answer[11] === 0x30;
}

async function drive(job: LoadJob): Promise<LoadResult> {
  const { host = '127.0.0.1', port, path, body, connections, warmUpMs, durationMs } = job;
  const bytes = Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  let counting = false;
  let done = false;
  let failed = 0;
  const times: number[] = [];
  /** Length of a whole answer with status 200: the next ones are held to it first, because reading each head would cost more than the server does. */
  let usual = 0;
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      let sent = 0;
      let pending: Buffer | undefined;
      const answered = (ok: boolean, pauseSeconds = 0): void => {
        if (counting) {
          times.push(performance.now() - sent);
          if (!ok) failed += 1;
        }
        if (done) return;
        if (pauseSeconds === 0) send();
        else setTimeout(send, pauseSeconds * 1_000);
      };
      const receive = (size: number, buffer: Uint8Array): boolean => {
        if (!pending && size === usual && isOk(buffer)) {
          answered(true);
          return true;
        }
        const chunk = Buffer.from(buffer.subarray(0, size));
        pending = pending ? Buffer.concat([pending, chunk]) : chunk;
        const head = pending.indexOf(SEPARATOR);
        if (head < 0) return true;
        const text = pending.toString('latin1', 0, head);
        const length = Number(LENGTH.exec(text)?.[1]);
        if (pending.length < head + SEPARATOR.length + length) return true;
        const ok = isOk(pending);
        if (ok) usual = pending.length;
        pending = undefined;
        answered(ok, Number(RETRY_AFTER.exec(text)?.[1] ?? 0));
        return true;
      };
      // Reading into one buffer of its own spares the stream machinery of each chunk.
      const onread = { buffer: Buffer.allocUnsafe(READ_BYTES), callback: receive };
      const socket = createConnection({ port, host, noDelay: true, onread });
      await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
      const send = (): void => {
        sent = performance.now();
        socket.write(bytes);
      };
      socket.on('error', () => {
        failed += 1;
      });
      send();
      return socket;
    }),
  );
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  await wait(warmUpMs);
  process.stdout.write('begin\n');
  counting = true;
  const began = performance.now();
  await wait(durationMs);
  counting = false;
  const seconds = (performance.now() - began) / 1000;
  process.stdout.write('end\n');
  done = true;
  await wait(50);
  for (const socket of sockets) socket.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return { requests: times.length, failed, seconds, p50: at(0.5), p99: at(0.99) };
}

process.stdout.write(`${JSON.stringify(await drive(JSON.parse(process.argv[2]!) as LoadJob))}\n`);
