import { createConnection } from 'node:net';

/**
 * A closed loop over keep-alive connections on raw sockets: each sends its next request when the answer to the last one is whole, or after the time that a
 * refusal tells. Few
 * cycles go into it, so that it does not become what is measured. Started as a child; reads one job as JSON from argument 1, writes its result as JSON.
 */
export interface LoadJob {
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

async function drive(job: LoadJob): Promise<LoadResult> {
  const { port, path, body, connections, warmUpMs, durationMs } = job;
  const bytes = Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  let counting = false;
  let done = false;
  let failed = 0;
  const times: number[] = [];
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = createConnection(port, '127.0.0.1').setNoDelay(true);
      await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
      let sent = 0;
      let pending: Buffer | undefined;
      const send = (): void => {
        sent = performance.now();
        socket.write(bytes);
      };
      socket.on('error', () => {
        failed += 1;
      });
      socket.on('data', (chunk: Buffer) => {
        pending = pending ? Buffer.concat([pending, chunk]) : chunk;
        const head = pending.indexOf(SEPARATOR);
        if (head < 0) return;
        const text = pending.toString('latin1', 0, head);
        const length = Number(LENGTH.exec(text)?.[1]);
        if (pending.length < head + SEPARATOR.length + length) return;
        pending = undefined;
        if (counting) {
          times.push(performance.now() - sent);
          if (!text.startsWith('HTTP/1.1 200')) failed += 1;
        }
        if (done) return;
        const pause = RETRY_AFTER.exec(text)?.[1];
        if (pause === undefined) send();
        else setTimeout(send, Number(pause) * 1_000);
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
