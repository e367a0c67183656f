import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { functionTower, linearModel, loopByRequest } from '../contract/onnx/testing/models.ts';
import type { Tensors } from '../contract/tensor.ts';
import { freePort, type Program, startProgram } from '../tests/e2e/programs.ts';
import { FakeEngine } from './testing/fake-engine.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { postHead, RawConnection } from './testing/raw-http.ts';
import { get, startTestServer, type TestServer } from './testing/test-server.ts';
import { TestVolume } from './testing/volume.ts';

const PATH = '/v2/models/m/infer';
const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] });
const request = postHead(PATH, { 'content-length': body.length }) + body;

async function sendBy(agent: Agent, url: string): Promise<{ status: number; connection: string | undefined }> {
  const sent = httpRequest(url + PATH, { agent, method: 'POST' });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  return { status: answer.statusCode!, connection: answer.headers.connection };
}

let volume: TestVolume;
beforeEach(async () => {
  volume = new TestVolume();
  volume.add('m', 1, linearModel());
  await volume.write();
});
afterEach(() => volume.remove());

describe('10.5 (35) stopping', () => {
  const clock = new ManualClock();
  let engine: FakeEngine;
  let server: TestServer;
  let runs: PromiseWithResolvers<Tensors>[];

  beforeEach(async () => {
    engine = new FakeEngine();
    server = await startTestServer(
      volume,
      { KEDGE_DRAIN_SECONDS: '5', KEDGE_GRACE_SECONDS: '1' },
      { clock, engines: { inline: engine, host: engine } },
    );
    await server.catalog.look();
    await vi.waitFor(() => expect(engine.loading).toEqual(['m/1']));
    engine.finish('m/1');
    await vi.waitFor(() => expect(server.manager.model('m')?.active).toBeDefined());
    runs = [];
    engine.run = () => {
      const run = Promise.withResolvers<Tensors>();
      runs.push(run);
      return run.promise;
    };
  });

  const answerRun = (index: number): void =>
    runs[index]!.resolve(new Map([['y', { datatype: 'FP32', shape: [1, 1], data: new Float32Array([index]) }]]));

  /** A request that waits for its run. */
  async function send(): Promise<RawConnection> {
    const connection = new RawConnection(server.port);
    const before = runs.length;
    connection.write(request);
    await vi.waitFor(() => expect(runs).toHaveLength(before + 1));
    return connection;
  }

  it('tells first, answers meanwhile, then closes, and loses no request', async () => {
    const first = await send();
    let stopped = false;
    const stopping = server.stop().then(() => {
      stopped = true;
    });
    const { status, body: ready } = await get(`${server.url}/v2/health/ready`);
    expect([status, ready.code, ready.ready]).toEqual([503, 'shutting-down', false]);
    expect((await fetch(`${server.url}/v2/health/live`)).status).toBe(200);
    const second = await send();
    answerRun(1);
    expect(await second.answer()).toMatchObject({
      status: 200,
      head: expect.stringContaining('connection: close'),
    });

    const third = await send();
    await clock.advance(5_000);
    await vi.waitFor(async () => await expect(fetch(server.url)).rejects.toThrow());
    answerRun(0);
    answerRun(2);
    for (const connection of [first, third]) {
      expect(await connection.answer()).toMatchObject({
        status: 200,
        head: expect.stringContaining('connection: close'),
      });
    }
    await stopping;
    expect([stopped, engine.released]).toEqual([true, ['m/1']]);
    await vi.waitFor(() => expect([first.closed, second.closed, third.closed]).toEqual([true, true, true]));
  });

  it('answers all that a client sent on one connection without waiting', async () => {
    const connection = await send();
    const stopping = server.stop();
    connection.write(request + request);
    await vi.waitFor(() => expect(runs).toHaveLength(3));
    for (const index of [2, 1, 0]) answerRun(index);
    for (const [index, said] of ['keep-alive', 'keep-alive', 'close'].entries()) {
      expect(await connection.answer()).toMatchObject({
        head: expect.stringContaining(`connection: ${said}`),
        body: expect.stringContaining(`"data":[${index}]`),
      });
    }
    await clock.advance(5_000);
    await stopping;
  });

  it('lets idle connections go before it closes', async () => {
    const idle = await send();
    answerRun(0);
    expect(await idle.answer()).toMatchObject({ head: expect.stringContaining('connection: keep-alive') });
    const stopping = server.stop();
    expect((await fetch(`${server.url}/v2/health/live`)).headers.get('connection')).toBe('close');
    expect(idle.closed).toBe(false);
    await clock.advance(2_500);
    await vi.waitFor(() => expect(idle.closed).toBe(true));
    expect((await fetch(`${server.url}/v2/health/live`)).status).toBe(200);
    await clock.advance(2_500);
    await stopping;
  });

  it('cuts what takes longer than the grace', async () => {
    const stuck = await send();
    let stopped = false;
    void server.stop().then(() => {
      stopped = true;
    });
    await clock.advance(5_000);
    expect(await stuck.answer()).toBeUndefined();
    await vi.waitFor(async () => {
      await clock.advance(2_000);
      expect(stopped).toBe(true);
    }, 5_000);
  });

  it('twice is once', async () => {
    const both = [server.stop(), server.stop()];
    await clock.advance(5_000);
    await Promise.all(both);
    expect(engine.released).toEqual(['m/1']);
  });
});

describe('the program', () => {
  let program: Program;
  let admin: string;

  async function start(env: Record<string, string>): Promise<string> {
    const [port, adminPort] = [await freePort(), await freePort()];
    program = startProgram(['serve', '--volume', volume.dir], {
      KEDGE_PORT: String(port),
      KEDGE_ADMIN_PORT: String(adminPort),
      ...env,
    });
    const url = `http://127.0.0.1:${port}`;
    admin = `http://127.0.0.1:${adminPort}`;
    await vi.waitFor(async () => expect((await fetch(`${url}/v2/health/ready`)).status).toBe(200), 20_000);
    return url;
  }
  afterEach(() => program.kill());

  it.each(['inline', 'host'])('ends with code 0 at SIGTERM, %s', async (engine) => {
    const url = await start({ KEDGE_DRAIN_SECONDS: '0', KEDGE_ENGINE: engine });
    const { status } = await get(url + PATH, { method: 'POST', body });
    expect(status).toBe(200);
    expect(await program.stop()).toBe(0);
    expect(program.log()).toMatch(/"stopped"/);
  });

  describe('10.5 (35) with work in a host process', () => {
    const LOOP = '/v2/models/loop/infer';
    beforeEach(async () => {
      volume.add('loop', 1, loopByRequest(), { unproved: ['ai.onnx:Loop'] });
      await volume.write();
    });
    const ask = (url: string, steps: number) => {
      const inputs = [
        { name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] },
        { name: 'steps', datatype: 'INT64', shape: [1], data: [steps * 2] },
      ];
      return get(url + LOOP, { method: 'POST', body: JSON.stringify({ inputs }) });
    };
    const whenReady = (url: string): Promise<void> =>
      vi.waitFor(async () => expect((await fetch(`${url}/v2/models/loop/ready`)).status).toBe(200), 20_000);
    const admitted = (count: number): Promise<void> =>
      vi.waitFor(async () => {
        const metrics = await (await fetch(`${admin}/metrics`)).text();
        expect(metrics).toContain(`\nkedge_inflight_requests ${count}\n`);
      });

    it('answers what runs and what waits, tells that it is not ready meanwhile, and ends with code 0', async () => {
      const url = await start({
        KEDGE_DRAIN_SECONDS: '0.5',
        KEDGE_GRACE_SECONDS: '30',
        KEDGE_REQUIRED_MODELS: 'm,loop',
      });
      await whenReady(url);
      await ask(url, 1);
      const began = performance.now();
      await ask(url, 10_000);
      // The first takes far longer than the drain; the others wait for it.
      const slow = ask(url, Math.ceil((10_000 * 2_500) / (performance.now() - began)));
      await admitted(1);
      const queued = [ask(url, 1), ask(url, 2), ask(url, 3)];
      await admitted(4);
      const stopped = program.stop();
      await vi.waitFor(async () => {
        const { status, body: ready } = await get(`${url}/v2/health/ready`);
        expect([status, ready.code]).toEqual([503, 'shutting-down']);
      });
      for (const { status, body: answer } of await Promise.all([slow, ...queued]))
        expect([status, answer.outputs[0].data]).toEqual([200, [1, 2, 3]]);
      expect(await stopped).toBe(0);
    }, 60_000);

    it('does not wait for a run that never ends longer than the grace', async () => {
      const url = await start({
        KEDGE_DRAIN_SECONDS: '0',
        KEDGE_GRACE_SECONDS: '1',
        KEDGE_RUN_TIMEOUT_SECONDS: '600',
      });
      await whenReady(url);
      const stuck = ask(url, 2 ** 50).catch((error: unknown) => error);
      await admitted(1);
      expect(await program.stop()).toBe(0);
      expect(await stuck).toBeInstanceOf(Error);
    }, 30_000);
  });

  it('loses no request of clients that keep their connections and send without pause', async () => {
    const url = await start({ KEDGE_DRAIN_SECONDS: '1' });
    const agent = new Agent({ keepAlive: true });
    /** Sends until an answer says that the connection ends, as a client that then goes elsewhere. */
    const client = async (): Promise<number> => {
      for (let answers = 1; ; answers += 1) {
        const { status, connection } = await sendBy(agent, url);
        expect(status).toBe(200);
        if (connection === 'close') return answers;
      }
    };
    const clients = Promise.all(Array.from({ length: 16 }, client));
    await Promise.race([clients, setTimeout(200)]);
    const stopped = program.stop();
    expect(Math.min(...(await clients))).toBeGreaterThan(1);
    expect(await stopped).toBe(0);
    agent.destroy();
  });

  it('does not wait for a candidate that never loads', async () => {
    const url = await start({ KEDGE_DRAIN_SECONDS: '0', KEDGE_GRACE_SECONDS: '1', KEDGE_LOAD_TIMEOUT_SECONDS: '600' });
    volume.add('slow', 1, functionTower({ depth: 30, calls: 2 }), { unproved: ['local:f'] });
    await volume.write();
    await vi.waitFor(async () => {
      expect((await get(`${url}/v2/models/slow/versions`)).body.versions?.[0].state).toBe('loading');
    }, 10_000);
    expect(await program.stop()).toBe(0);
  }, 20_000);

  it('ends at once and with another code at the second SIGTERM', async () => {
    const url = await start({ KEDGE_DRAIN_SECONDS: '600' });
    const exited = once(program.child, 'exit');
    program.child.kill('SIGTERM');
    await vi.waitFor(async () => expect((await fetch(`${url}/v2/health/ready`)).status).toBe(503), 10_000);
    program.child.kill('SIGTERM');
    expect(await exited).toEqual([130, null]);
  });

  it('refuses settings that are wrong, all at once', async () => {
    program = startProgram(['serve', '--port', 'x'], { KEDGE_ENGINE: 'fast', KEDGE_KEEP_READY: '0' });
    const [code] = await once(program.child, 'exit');
    expect(code).toBe(2);
    for (const name of ['KEDGE_VOLUME', 'KEDGE_PORT', 'KEDGE_ENGINE', 'KEDGE_KEEP_READY'])
      expect(program.log()).toContain(name);
  });

  it('refuses a port that is taken', async () => {
    const url = await start({ KEDGE_DRAIN_SECONDS: '0' });
    const other = startProgram(['serve', '--volume', volume.dir, '--port', new URL(url).port], {
      KEDGE_ADMIN_PORT: '0',
    });
    const [code] = await once(other.child, 'exit');
    expect([code, other.log()]).toEqual([2, expect.stringMatching(/Port \d+ cannot be used/)]);
  });

  it('refuses estimators that are none', async () => {
    program = startProgram(['serve', '--volume', volume.dir, '--estimators', '/nowhere'], {
      KEDGE_PORT: '0',
      KEDGE_ADMIN_PORT: '0',
    });
    const [code] = await once(program.child, 'exit');
    expect([code, program.log()]).toEqual([2, expect.stringMatching(/folder of estimators cannot be read/)]);
  });
});
