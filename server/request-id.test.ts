import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearModel } from '../contract/onnx/testing/models.ts';
import { idsOf, parseTraceparent, requestIdOf } from './request-id.ts';
import { postHead, RawConnection } from './testing/raw-http.ts';
import { get, post, startTestServer, type TestServer } from './testing/test-server.ts';
import { TestVolume } from './testing/volume.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('the id of a request', () => {
  it.each([
    '7b1f0e9c-0f5e-4d0a-9d3f-2c1d6a1f8f10',
    'Root=1-67891233-abcdef012345678912345678',
    'a/b+c==',
    'x'.repeat(128),
  ])('is taken as it came: %s', (id) => expect(requestIdOf(id)).toBe(id));

  it.each([undefined, '', 'x'.repeat(129), 'a b', 'a,b', 'a"b', 'ä', 'a\u0000b', ['a', 'b']])(
    'counts as absent where it is odd: %s',
    (id) => expect(requestIdOf(id)).toBeUndefined(),
  );
});

describe('traceparent', () => {
  it.each<[string, boolean]>([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    [`00-${TRACE}-${SPAN}-03`, true],
    [`cc-${TRACE}-${SPAN}-01`, true],
    [`cc-${TRACE}-${SPAN}-01-what-the-future-brings`, true],
  ])('%s', (header, sampled) => expect(parseTraceparent(header)).toEqual({ traceId: TRACE, spanId: SPAN, sampled }));

  it.each([
    undefined,
    '',
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01.`,
    `cc-${TRACE}-${SPAN}-01.more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${SPAN}-0g`,
    ` 00-${TRACE}-${SPAN}-01`,
  ])('counts as absent where it is not valid: %s', (header) => expect(parseTraceparent(header)).toBeUndefined());
});

describe('a request that is logged', () => {
  const answerOf = (headersSent = false) => {
    const set: Record<string, string> = {};
    return {
      set,
      headersSent,
      getHeader: (name: string) => set[name],
      setHeader: (name: string, value: unknown) => {
        set[name] = String(value);
      },
    };
  };

  it('without an id is given one, once, which its answer tells', () => {
    const answer = answerOf();
    const values = [0, 0.5, 0.25, 0.999_999_999_9, 0.1];
    const ids = idsOf({ headers: {} }, answer as never, () => values.shift()!);
    expect(ids).toEqual({ requestId: '000000008000000040000000ffffffff' });
    expect(answer.set).toEqual({ 'x-request-id': ids.requestId });
    expect(idsOf({ headers: {} }, answer as never, () => 0.3)).toEqual(ids);
  });

  it('keeps its own, and its trace', () => {
    const answer = answerOf();
    const headers = { 'x-request-id': 'mine', traceparent: `00-${TRACE}-${SPAN}-01` };
    expect(idsOf({ headers }, answer as never, () => 0)).toEqual({ requestId: 'mine', traceId: TRACE, spanId: SPAN });
    expect(answer.set).toEqual({});
  });

  it('does not touch an answer that is on its way', () => {
    const answer = answerOf(true);
    expect(idsOf({ headers: {} }, answer as never, () => 0).requestId).toBe('0'.repeat(32));
    expect(answer.set).toEqual({});
  });
});

describe('over HTTP', () => {
  let volume: TestVolume;
  let server: TestServer;
  beforeAll(async () => {
    volume = new TestVolume();
    volume.add('m', 1, linearModel());
    await volume.write();
    server = await startTestServer(volume);
    await server.settle();
  });
  afterAll(async () => {
    await server.stop();
    volume.remove();
  });

  const BODY = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] };
  const headers = { 'x-request-id': 'abc-1', traceparent: `00-${TRACE}-${SPAN}-01` };

  it.each<[string, () => ReturnType<typeof get>, number]>([
    ['a prediction', () => post(`${server.url}/v2/models/m/infer`, BODY, { headers }), 200],
    [
      'a compressed one',
      () => post(`${server.url}/v1/models/m:predict`, { instances: new Array(2000).fill([1, 2]) }, { headers }),
      200,
    ],
    ['a bad request', () => post(`${server.url}/v2/models/m/infer`, 'x', { headers }), 400],
    ['an unknown model', () => post(`${server.url}/v2/models/nobody/infer`, BODY, { headers }), 404],
    ['an unknown path', () => get(`${server.url}/nowhere`, { headers }), 404],
    ['metadata', () => get(`${server.url}/v2/models/m`, { headers }), 200],
    ['a health check', () => get(`${server.admin}/livez`, { headers }), 200],
  ])('%s has the ids in its answer', async (_, send, status) => {
    const reply = await send();
    expect([reply.status, reply.headers.get('x-request-id'), reply.headers.get('traceresponse')]).toEqual([
      status,
      'abc-1',
      `00-${TRACE}-${SPAN}-01`,
    ]);
  });

  it('an answer to a request without them has none, nor one to odd ones', async () => {
    const odd = [{}, { 'x-request-id': 'a b' }, { 'x-request-id': 'x'.repeat(200), traceparent: 'oops' }];
    for (const sent of odd) {
      const reply = await post(`${server.url}/v2/models/m/infer`, BODY, { headers: sent as Record<string, string> });
      expect([reply.status, reply.headers.get('x-request-id'), reply.headers.get('traceresponse')]).toEqual([
        200,
        null,
        null,
      ]);
    }
  });

  it('ids given twice are none', async () => {
    const connection = new RawConnection(server.port);
    const body = JSON.stringify(BODY);
    const twice = postHead('/v2/models/m/infer', { 'content-length': body.length }).replace(
      '\r\n\r\n',
      '\r\nx-request-id: a\r\nx-request-id: b\r\n\r\n',
    );
    connection.write(twice + body);
    const answer = (await connection.answer())!;
    expect([answer.status, answer.head.includes('x-request-id')]).toEqual([200, false]);
    connection.end();
  });
});
