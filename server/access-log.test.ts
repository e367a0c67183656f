import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KedgeError } from '../contract/errors.ts';
import { linearModel } from '../contract/onnx/testing/models.ts';
import { type Log, silentLog } from '../platform/log.ts';
import { AccessLog, describeAccess } from './access-log.ts';
import { ClientGone } from './gate/client-gone.ts';
import { Ticket } from './gate/ticket.ts';
import { FakeEngine } from './testing/fake-engine.ts';
import { postHead, RawConnection } from './testing/raw-http.ts';
import { get, post, startTestServer, type TestServer } from './testing/test-server.ts';
import { TestVolume } from './testing/volume.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const BODY = { inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 2], data: [1, 2, 3, 4] }] };

type Line = Record<string, unknown>;

/** A log of which the lines can be looked at. */
function recorder(level = 'info'): { log: Log; lines: Line[] } {
  const lines: Line[] = [];
  return { log: pino({ level, base: {} }, { write: (text: string) => void lines.push(JSON.parse(text)) }), lines };
}

describe('which requests get a line', () => {
  const wants = (sample: number, draw: number, status: number): boolean =>
    new AccessLog({ log: silentLog, lines: silentLog, sample, random: () => draw, now: () => 0 }).wants(status);

  it.each<[string, number, number, number, boolean]>([
    ['none by default', 0, 0, 200, false],
    ['no defect by default, as the log tells of it anyway', 0, 0, 500, false],
    ['all', 1, 0.999_999, 200, true],
    ['a share, within', 0.1, 0.099, 200, true],
    ['a share, without', 0.1, 0.1, 200, false],
    ['a defect of any share', 0.001, 0.9, 500, true],
    ['what was refused under load only as all others', 0.001, 0.9, 503, false],
  ])('%s', (_, sample, draw, status, wanted) => expect(wants(sample, draw, status)).toBe(wanted));
});

describe('a line', () => {
  const access = { model: 'm', version: '3', status: 200, began: 10, error: undefined };

  it('tells where the time went', () => {
    const ticket = new Ticket({ destroyed: false }, 10_000, undefined);
    Object.assign(ticket, { bytes: 120, rows: 2, readAt: 10.001, runAt: 10.0015, ranAt: 10.004 });
    ticket.onRun({ queueMs: 0.5, computeMs: 1.25, rows: 8, requests: 3 });
    expect(describeAccess({ ...access, ticket }, 10.005)).toEqual({
      model: 'm',
      version: '3',
      status: 200,
      durationMs: 5,
      bytesIn: 120,
      rows: 2,
      inputMs: 0.5,
      queueMs: 0.5,
      inferMs: 1.25,
      batchRows: 8,
    });
  });

  it('says nothing of what did not come about', () => {
    const ticket = new Ticket({ destroyed: false }, 10_000, undefined);
    const error = new KedgeError('overloaded', 'x');
    const refused = { model: 'm', version: '3', status: 503, durationMs: 1, code: 'overloaded' };
    expect(describeAccess({ ...access, status: 503, ticket, error }, 10.001)).toEqual(refused);
    const nowhere = { ...access, model: '', version: '', status: 404, ticket: undefined };
    expect(describeAccess({ ...nowhere, error: new KedgeError('model-unknown', 'x') }, 10.001)).toEqual({
      model: '',
      version: '',
      status: 404,
      durationMs: 1,
      code: 'model-unknown',
    });
    for (const [thrown, code] of [
      [new ClientGone(), 'client-gone'],
      [new TypeError('x'), 'internal'],
    ] as const)
      expect(describeAccess({ ...nowhere, error: thrown }, 10.001)).toMatchObject({ code });
  });
});

describe('over HTTP', () => {
  let volume: TestVolume;
  let server: TestServer;
  beforeEach(async () => {
    volume = new TestVolume();
    volume.add('m', 1, linearModel());
    await volume.write();
  });
  afterEach(async () => {
    await server.stop();
    volume.remove();
  });

  const start = async (sample: string, level?: string): Promise<Line[]> => {
    const { log, lines } = recorder(level);
    server = await startTestServer(volume, { KEDGE_ACCESS_LOG_SAMPLE: sample }, { log, random: () => 0.25 });
    await server.settle();
    lines.length = 0;
    return lines;
  };
  const infer = (body: unknown, headers: Record<string, string> = {}) =>
    post(`${server.url}/v2/models/m/infer`, body, { headers });

  it('a request has a line with its ids, its size and its times', async () => {
    const lines = await start('1', 'error');
    const reply = await infer(BODY, { 'x-request-id': 'mine', traceparent: `00-${TRACE}-${SPAN}-01` });
    expect(reply.status).toBe(200);
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    const ms = expect.any(Number);
    expect(lines[0]).toEqual({
      level: 30,
      time: ms,
      log: 'access',
      requestId: 'mine',
      traceId: TRACE,
      spanId: SPAN,
      model: 'm',
      version: '1',
      status: 200,
      durationMs: ms,
      bytesIn: JSON.stringify(BODY).length,
      rows: 2,
      inputMs: ms,
      queueMs: ms,
      inferMs: ms,
      batchRows: 2,
      bytesOut: expect.any(Number),
      msg: 'request',
    });
    const length = Number(reply.headers.get('content-length'));
    expect([Number(lines[0]!['bytesOut']) > length, Number(lines[0]!['bytesOut']) < length + 1000]).toEqual([
      true,
      true,
    ]);
  });

  it('a request without an id is given the one of its line', async () => {
    const lines = await start('1');
    const predict = (target: string) => post(`${server.url}/v1/models/${target}:predict`, {});
    const replies = [await infer(BODY), await infer('x'), await predict('nobody'), await predict('m/labels/nowhere')];
    await vi.waitFor(() => expect(lines).toHaveLength(4));
    expect(lines.map(({ requestId, status, code }) => [requestId, status, code])).toEqual(
      replies.map(({ headers, status, body }) => [headers.get('x-request-id'), status, body.code]),
    );
  });

  it('a client that goes away has one, too', async () => {
    const lines = await start('1');
    const connection = new RawConnection(server.port);
    connection.write(`${postHead('/v2/models/m/infer', { 'content-length': 1000 })}{"inputs"`);
    await vi.waitFor(async () => {
      expect(await (await fetch(`${server.admin}/metrics`)).text()).toContain('\nkedge_inflight_requests 1\n');
    });
    connection.end();
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    expect(lines[0]).toMatchObject({ status: 499, code: 'client-gone', model: 'm', version: '1' });
  });

  it.each<[string, number]>([
    ['0', 0],
    ['0.25', 0],
    ['0.26', 2],
  ])('a share of %s is drawn: %i of 2 here', async (sample, count) => {
    const lines = await start(sample);
    const replies = [await infer(BODY), await infer(BODY)];
    await vi.waitFor(() => expect(lines.filter(({ log }) => log === 'access')).toHaveLength(count));
    expect(replies.map(({ headers }) => headers.has('x-request-id'))).toEqual(replies.map(() => count > 0));
  });
});

describe('a defect', () => {
  it('is logged with the id that its answer has, whatever was asked for', async () => {
    const { log, lines } = recorder();
    const volume = new TestVolume();
    const server = await startTestServer(volume, {}, { log, random: () => 0.5 });
    vi.spyOn(server.manager, 'model').mockImplementation(() => {
      throw new TypeError('a defect');
    });
    const own = { headers: { 'x-request-id': 'mine' } };
    const replies = [await get(`${server.url}/v2/models/m`), await get(`${server.url}/v1/models/m`, own)];
    const ids = ['80000000'.repeat(4), 'mine'];
    expect(replies.map(({ status, headers }) => [status, headers.get('x-request-id')])).toEqual(
      ids.map((id) => [500, id]),
    );
    const errors = lines.filter(({ level }) => level === 50);
    expect(errors.map(({ requestId }) => requestId)).toEqual(ids);
    await server.stop();
    volume.remove();
  });

  it.each<[string, string[]]>([
    ['0', ['error']],
    ['0.001', ['error', 'access']],
  ])('is logged with the id that its answer has, by a share of %s', async (sample, kinds) => {
    const { log, lines } = recorder();
    const volume = new TestVolume();
    volume.add('m', 1, linearModel());
    await volume.write();
    const engine = new FakeEngine();
    const server = await startTestServer(
      volume,
      { KEDGE_ACCESS_LOG_SAMPLE: sample },
      { log, random: () => 0.5, engines: { inline: engine, host: engine } },
    );
    await server.catalog.look();
    await vi.waitFor(() => expect(engine.loading).toEqual(['m/1']));
    engine.finish('m/1');
    await vi.waitFor(() => expect(server.manager.model('m')?.active).toBeDefined());
    engine.run = () => Promise.reject(new TypeError('a defect'));
    lines.length = 0;
    const { status, headers } = await post(`${server.url}/v2/models/m/infer`, BODY);
    const requestId = headers.get('x-request-id');
    expect([status, requestId]).toEqual([500, '80000000'.repeat(4)]);
    await vi.waitFor(() => expect(lines).toHaveLength(kinds.length));
    expect(lines.map((line) => [line['requestId'], line['log'] ?? 'error'])).toEqual(
      kinds.map((kind) => [requestId, kind]),
    );
    await server.stop();
    volume.remove();
  });
});
