import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ErrorCode } from '../contract/errors.ts';
import { RawConnection } from '../server/testing/raw-http.ts';
import { judgeClientError } from './before-routing.ts';
import { type Listener, type ListenOptions, listen } from './listen.ts';

const GOOD = 'GET / HTTP/1.1\r\nhost: kedge\r\n\r\n';

let listener: Listener | undefined;
let refused: ErrorCode[];
afterEach(async () => {
  await listener?.close(0);
  listener = undefined;
});

async function open(
  options: Partial<ListenOptions> = {},
  app?: () => Response | Promise<Response>,
): Promise<RawConnection> {
  refused = [];
  listener = await listen(
    { fetch: app ?? (() => new Response('ok')) },
    { port: 0, hostname: '127.0.0.1', onRefused: (code) => refused.push(code), ...options },
  );
  return new RawConnection(listener.port);
}

/** Status, code and whether the body is JSON of the usual form. */
async function refusalOf(connection: RawConnection): Promise<[number, string, string]> {
  const { status, head, body } = (await connection.answer())!;
  expect(head).toContain('content-type: application/json');
  const { error, code } = JSON.parse(body);
  return [status, code, error];
}

describe('what is no request is answered with the JSON of every other error', () => {
  it.each<[string, string, number, ErrorCode]>([
    ['a request line that is none', 'GIMME\r\n\r\n', 400, 'request-malformed'],
    ['bytes of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'request-malformed'],
    ['a header without a colon', 'GET / HTTP/1.1\r\nhost kedge\r\n\r\n', 400, 'request-malformed'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400, 'request-malformed'],
    ['a host that is none', 'GET / HTTP/1.1\r\nhost: a b\r\n\r\n', 400, 'request-malformed'],
    ['a path that is none', 'GET \\ HTTP/1.1\r\nhost: kedge\r\n\r\n', 400, 'request-malformed'],
    [
      'two lengths, as smugglers send them',
      'POST / HTTP/1.1\r\nhost: kedge\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'request-malformed',
    ],
    [
      'headers over 16 KiB',
      `GET / HTTP/1.1\r\nhost: kedge\r\nx: ${'x'.repeat(17_000)}\r\n\r\n`,
      431,
      'headers-too-large',
    ],
    [
      'an expectation that there is not',
      'POST / HTTP/1.1\r\nhost: kedge\r\nexpect: a-pony\r\ncontent-length: 1\r\n\r\nx',
      417,
      'expectation-failed',
    ],
  ])('%s', async (_, bytes, status, code) => {
    const connection = await open();
    connection.write(bytes);
    expect(await refusalOf(connection)).toEqual([status, code, expect.stringMatching(/^[A-Z].*\.$/)]);
    expect(await connection.answer()).toBeUndefined();
    // Who listens is well, and answers the next.
    const next = new RawConnection(listener!.port);
    next.write(GOOD);
    expect((await next.answer())?.body).toBe('ok');
    next.end();
  });

  it('a body of chunks that are none, whose request is answered too late', async () => {
    const late = Promise.withResolvers<Response>();
    const connection = await open({}, () => late.promise);
    connection.write('POST / HTTP/1.1\r\nhost: kedge\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n');
    expect(await refusalOf(connection)).toEqual([400, 'request-malformed', expect.any(String)]);
    late.resolve(new Response('late'));
    expect(await connection.answer()).toBeUndefined();
    expect([connection.rest, refused]).toEqual(['', ['request-malformed']]);
  });

  it.each<[string, string]>([
    ['head', 'GET / HTTP/1.1\r\nhost: ke'],
    ['body', 'POST / HTTP/1.1\r\nhost: kedge\r\ncontent-length: 10\r\n\r\nabc'],
  ])('a %s that does not come in time', async (_, bytes) => {
    const connection = await open({ timeouts: { headers: 30, request: 60, check: 15 } }, async () => {
      return new Promise<Response>(() => undefined);
    });
    connection.write(bytes);
    expect(await refusalOf(connection)).toEqual([408, 'request-timeout', expect.any(String)]);
    expect(refused).toEqual(['request-timeout']);
  });

  it('but not in the middle of an answer', async () => {
    const stream = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('half')) });
    const connection = await open({}, () => new Response(stream));
    connection.write('POST / HTTP/1.1\r\nhost: kedge\r\ntransfer-encoding: chunked\r\n\r\n');
    expect((await connection.answer())?.status).toBe(200);
    connection.write('zz\r\n');
    expect(await connection.answer()).toBeUndefined();
    expect([connection.rest.includes('HTTP/1.1'), refused]).toEqual([false, []]);
  });

  it('but first what came whole before it is, on the same connection', async () => {
    const late = [Promise.withResolvers<Response>(), Promise.withResolvers<Response>()];
    let asked = 0;
    const connection = await open({}, () => late[asked++]!.promise);
    connection.write(`${GOOD}${GOOD}GIMME\r\n\r\n`);
    await vi.waitFor(() => expect(asked).toBe(2));
    connection.write('MORE\r\n\r\n');
    late[1]!.resolve(new Response('second'));
    late[0]!.resolve(new Response('first'));
    expect([(await connection.answer())?.body, (await connection.answer())?.body]).toEqual(['first', 'second']);
    expect(await refusalOf(connection)).toEqual([400, 'request-malformed', expect.any(String)]);
    expect(await connection.answer()).toBeUndefined();
    expect([asked, connection.rest, refused]).toEqual([2, '', ['request-malformed']]);
  });

  it('and what comes behind the last request of a connection is told nothing', async () => {
    const connection = await open();
    connection.write(`${GOOD.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n')}GIMME\r\n\r\n`);
    expect((await connection.answer())?.body).toBe('ok');
    expect(await connection.answer()).toBeUndefined();
    expect([connection.rest, refused]).toEqual(['', []]);
  });

  it('and a connection that breaks is told nothing', () => {
    for (const code of [undefined, 'ECONNRESET', 'EPIPE', 'ERR_STREAM_WRITE_AFTER_END'])
      expect(judgeClientError(code)).toBeUndefined();
  });
});

describe('who is told to leave', () => {
  const lines = async (connection: RawConnection): Promise<(string | undefined)[]> => {
    const { body, head } = (await connection.answer())!;
    return [body, /^connection: (.*)$/m.exec(head)?.[1]?.trim()];
  };

  it('is answered each request that was sent on already, in whatever order they come about', async () => {
    const late = [0, 1, 2].map(() => Promise.withResolvers<Response>());
    let asked = 0;
    const connection = await open({}, () => late[asked++]!.promise);
    connection.write(GOOD);
    await vi.waitFor(() => expect(asked).toBe(1));
    listener!.leave();
    connection.write(GOOD + GOOD);
    await vi.waitFor(() => expect(asked).toBe(3));
    for (const index of [1, 0, 2]) late[index]!.resolve(new Response(`${index}`));
    const answers = [await lines(connection), await lines(connection), await lines(connection)];
    expect(answers).toEqual([
      ['0', 'keep-alive'],
      ['1', 'keep-alive'],
      ['2', 'close'],
    ]);
    expect(await connection.answer()).toBeUndefined();
  });

  it('has none run that comes behind the answer that told it', async () => {
    let asked = 0;
    const end = Promise.withResolvers<void>();
    const connection = await open({}, () => {
      asked += 1;
      const pull = async (controller: ReadableStreamDefaultController): Promise<void> => {
        controller.enqueue(new TextEncoder().encode('half'));
        await end.promise;
        controller.close();
      };
      return new Response(new ReadableStream({ pull }));
    });
    listener!.leave();
    connection.write(GOOD);
    expect((await connection.answer())?.head).toContain('connection: close');
    connection.write(GOOD);
    // Another connection is heard after it.
    const next = new RawConnection(listener!.port);
    next.write('GIMME\r\n\r\n');
    await next.answer();
    end.resolve();
    await vi.waitFor(() => expect(connection.closed).toBe(true));
    expect(asked).toBe(1);
  });
});

describe('an answer that nobody reads', () => {
  const MIB = 2 ** 20;
  const large = (): Response => new Response(new Uint8Array(64 * MIB));

  it.each([
    ['in one piece', large],
    ['in many', () => new Response(new Blob([new Uint8Array(64 * MIB)]).stream())],
  ])('%s ends with its connection, and its bytes are told of until then', async (_title, app) => {
    let [bytes, most] = [0, 0];
    const onUnsent = (more: number): void => {
      bytes += more;
      most = Math.max(most, bytes);
    };
    const connection = await open({ onUnsent, timeouts: { headers: 200, request: 200, check: 20 } }, app);
    connection.socket.pause();
    connection.write(GOOD);
    await vi.waitFor(() => expect(bytes).toBeGreaterThan(0));
    await vi.waitFor(() => expect(bytes).toBe(0), 10_000);
    expect(most).toBeGreaterThan(0);
    // What the kernel took of it can be read, and then it ends.
    connection.socket.resume();
    await vi.waitFor(() => expect(connection.closed).toBe(true), 10_000);
    expect(connection.rest.length).toBeLessThan(64 * MIB);
  });
});

it('lets headers be set on every answer', async () => {
  const connection = await open({ onHead: ({ url }, response) => response.setHeader('x-url', String(url)) });
  connection.write(GOOD.replace('/', '/here'));
  expect((await connection.answer())?.head).toContain('x-url: /here');
  connection.end();
});
