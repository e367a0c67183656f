import { expect, it } from 'vitest';
import { headerOf, readHead, unchunk } from './http-answer.ts';

const head = (...lines: string[]): Buffer => Buffer.from(`${lines.join('\r\n')}\r\n\r\nrest`);

it.each([
  [['HTTP/1.1 200 OK', 'Content-Length: 12'], { status: 200, bodyLength: 12, chunked: false, closes: false }],
  [
    ['HTTP/1.1 503 Service Unavailable', 'content-length:0', 'Connection: close'],
    { status: 503, bodyLength: 0, closes: true },
  ],
  [['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked'], { bodyLength: undefined, chunked: true, closes: false }],
  [['HTTP/1.1 200 OK', 'transfer-encoding: chunked', 'content-length: 3'], { bodyLength: undefined, chunked: true }],
  [['HTTP/1.1 200 OK'], { bodyLength: undefined, chunked: false, closes: true }],
  [['HTTP/1.0 200 OK', 'content-length: 1'], { bodyLength: 1, closes: true }],
  [['HTTP/1.0 200 OK', 'content-length: 1', 'Connection: Keep-Alive'], { bodyLength: 1, closes: false }],
  [['HTTP/1.1 204 No Content'], { status: 204, bodyLength: 0, closes: false }],
  [['HTTP/1.1 100 Continue'], { status: 100 }],
  [['SSH-2.0-OpenSSH'], { status: 0 }],
])('reads the head %j', (lines, wanted) => {
  const bytes = head(...lines);
  expect(readHead(bytes)).toMatchObject({ ...wanted, length: bytes.length - 'rest'.length });
});

it('waits for a head that is not whole', () => {
  const bytes = head('HTTP/1.1 200 OK', 'content-length: 0');
  for (let end = 0; end < bytes.length - 'rest'.length; end += 1)
    expect(readHead(bytes.subarray(0, end))).toBeUndefined();
});

it('finds a header by its name alone', () => {
  const text = 'HTTP/1.1 200 OK\r\nX-Kedge-Model-Version: 1\r\nKedge-Model-Version:  7 \r\nlast: a: b';
  expect(headerOf(text, 'kedge-model-version')).toBe('7');
  expect(headerOf(text, 'last')).toBe('a: b');
  expect(headerOf(text, 'model-version')).toBeUndefined();
  expect(headerOf('HTTP/1.1 200 OK', 'last')).toBeUndefined();
});

it.each([
  ['0\r\n\r\n', ''],
  ['3\r\nabc\r\n0\r\n\r\n', 'abc'],
  ['3;name=value\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n', 'abc0123456789'],
  ['5\r\na\r\nbc\r\n0\r\n\r\n', 'a\r\nbc'],
  ['3\r\nabc\r\n0\r\n', undefined],
  ['3\r\nabc\r\n', undefined],
  ['3\r\nab', undefined],
  ['', undefined],
  ['zz\r\nabc\r\n', undefined],
])('the chunks %j hold %j', (chunks, body) => expect(unchunk(Buffer.from(chunks))?.toString()).toBe(body));
