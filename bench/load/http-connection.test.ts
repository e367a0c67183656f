import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { HttpConnection } from './http-connection.ts';

interface Seen {
  /** Undefined where it broke. */
  status?: number;
  body?: string;
  why?: string | undefined;
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A connection to a server that does as told with each request. */
async function connected(onRequest: (socket: Socket, number: number) => void): Promise<HttpConnection> {
  let number = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => {
      number += 1;
      onRequest(socket, number);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const connection = new HttpConnection(url, () => undefined);
  closers.push(() => {
    connection.close();
    server.close();
  });
  return connection;
}

function ask(connection: HttpConnection): Promise<Seen> {
  return new Promise((resolve) => {
    connection.send(Buffer.from('POST / HTTP/1.1\r\n\r\n'), (answer, why) =>
      resolve(answer ? { status: answer.status, body: answer.body.toString() } : { why }),
    );
  });
}

/** Writes parts one after another, each in a packet of its own. */
async function write(socket: Socket, ...parts: (string | Buffer)[]): Promise<void> {
  for (const part of parts) {
    socket.write(part);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello';

it.each([
  ['whole', [OK]],
  ['byte by byte', [...OK]],
  ['its head and its body apart', [OK.slice(0, -5), OK.slice(-5)]],
  ['after others that precede it', [`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n${OK}`]],
  ['after one that precedes it, in parts', ['HTTP/1.1 100 Continue\r\n', `\r\n${OK.slice(0, 20)}`, OK.slice(20)]],
  ['in chunks', ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe', '\r\n3\r\nllo\r\n0\r\n', '\r\n']],
])('takes an answer that comes %s, and the next one over the same connection', async (_, parts) => {
  const connection = await connected((socket) => void write(socket, ...parts));
  for (let round = 0; round < 2; round += 1) {
    expect(await ask(connection)).toEqual({ status: 200, body: 'hello' });
    expect(connection.usable).toBe(true);
  }
  expect(connection.sent).toBe(2);
});

it('takes an answer of several megabytes', async () => {
  const body = Buffer.alloc(3_000_000, 'abcdefghij');
  const connection = await connected((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`);
    socket.write(body);
  });
  const seen = await ask(connection);
  expect(seen.body === body.toString()).toBe(true);
});

it('takes an answer that ends with its connection', async () => {
  const connection = await connected((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nhello'));
  expect(await ask(connection)).toEqual({ status: 200, body: 'hello' });
  expect(connection.usable).toBe(false);
});

it.each([
  ['closes after it', 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello'],
  ['says more than it should', `${OK}surplus`],
])('uses a connection no more when the server %s', async (_, text) => {
  const connection = await connected((socket) => socket.write(text));
  expect(await ask(connection)).toEqual({ status: 200, body: 'hello' });
  expect(connection.usable).toBe(false);
});

it.each([
  ['breaks before the answer', (socket: Socket) => socket.destroy()],
  ['ends before the answer', (socket: Socket) => socket.end()],
  ['ends within the answer', (socket: Socket) => socket.end(OK.slice(0, -2))],
])('tells when the connection %s', async (_, act) => {
  const connection = await connected((socket) => void act(socket));
  expect(await ask(connection)).toEqual({ why: expect.stringMatching(/closed the connection|ECONNRESET/) });
  expect(connection.usable).toBe(false);
});

it('knows a connection that the server closed while nothing was asked', async () => {
  const connection = await connected((socket) => {
    socket.write(OK);
    setTimeout(() => socket.end('HTTP/1.1 408 Request Timeout\r\n\r\n'), 20);
  });
  expect(await ask(connection)).toEqual({ status: 200, body: 'hello' });
  while (connection.usable) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(connection.usable).toBe(false);
});

it('tells what is no answer of HTTP/1.1', async () => {
  const connection = await connected((socket) => socket.write('hello\r\n\r\n'));
  expect(await ask(connection)).toEqual({ why: 'what came is no answer of HTTP/1.1' });
});

it('ends a request when it is closed', async () => {
  const connection = await connected(() => connection.close('no answer in time'));
  expect(await ask(connection)).toEqual({ why: 'no answer in time' });
});
