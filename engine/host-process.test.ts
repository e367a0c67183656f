import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, describe, expect, it, onTestFailed } from 'vitest';
import {
  allocation,
  endlessLoop,
  identityModel,
  integerDivision,
  linearModel,
} from '../contract/onnx/testing/models.ts';
import type { TensorData, Tensors } from '../contract/tensor.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { HostProcess, type HostProcessOptions } from './host-process.ts';
import { crashByRequest, KILLER } from './testing/crash.ts';
import { isAlive, until } from './testing/processes.ts';
import { elements, tensor, versionOf } from './testing/versions.ts';

const hosts: HostProcess[] = [];

function startHost(options: Partial<HostProcessOptions> = {}): HostProcess {
  const host = new HostProcess({ memoryLimitBytes: 2 ** 30, clock: systemClock, log: silentLog, ...options });
  hosts.push(host);
  return host;
}

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.end()));
});

const limits = (timeoutMs = 20_000) => ({ what: 'It', timeoutMs });

async function load(host: HostProcess, bytes: Uint8Array, model = 1): Promise<void> {
  await host.call({ call: 'load', model, request: await versionOf(bytes) }, limits());
}

function run(host: HostProcess, inputs: Tensors, outputs: string[], { model = 1, timeoutMs = 20_000 } = {}) {
  return host.call({ call: 'run', model, inputs, outputs }, limits(timeoutMs));
}

const row = new Map([['x', tensor('FP32', [1, 2], [1, 2])]]);
const endlessRow = new Map([['x', tensor('FP32', [1, 3], [1, 2, 3])]]);

describe('HostProcess', () => {
  it('serves several models, one call at a time in order', async () => {
    const host = startHost();
    expect(host.state).toBe('starting');
    await load(host, linearModel(), 1);
    await load(host, linearModel({ bias: [100] }), 2);
    expect(host.state).toBe('idle');
    const order: number[] = [];
    const calls = [1, 2, 1].map((model, index) =>
      run(host, row, ['y'], { model }).then(({ outputs }) => {
        order.push(index);
        return elements(outputs!, 'y')[0];
      }),
    );
    expect(host.state).toBe('busy');
    expect(await Promise.all(calls)).toEqual([9, 108, 9]);
    expect(order).toEqual([0, 1, 2]);
    await host.call({ call: 'release', model: 1 }, limits());
    await expect(run(host, row, ['y'])).rejects.toMatchObject({ code: 'internal' });
    expect(elements((await run(host, row, ['y'], { model: 2 })).outputs!, 'y')).toEqual([108]);
  });

  it('carries large tensors both ways', async () => {
    const host = startHost();
    await load(host, identityModel());
    const data = Float32Array.from({ length: 2 ** 22 }, (_, index) => index);
    const { outputs } = await run(host, new Map([['x', { datatype: 'FP32', shape: [data.length], data }]]), ['y']);
    expect(Buffer.compare(bytesOf(outputs!.get('y')!.data), bytesOf(data))).toBe(0);
  });

  it.skipIf(process.arch !== 'x64')(
    'names the signal of a run that kills it, and cuts off those that wait',
    async () => {
      const host = startHost();
      await load(host, integerDivision());
      const divide = (a: bigint, b: bigint) =>
        run(
          host,
          new Map([
            ['a', tensor('INT64', [1], [a])],
            ['b', tensor('INT64', [1], [b])],
          ]),
          ['q'],
        );
      const killer = expect(divide(-(2n ** 63n), -1n)).rejects.toMatchObject({
        code: 'engine-crashed',
        message: 'It ended its process: it was killed by SIGFPE.',
      });
      const other = expect(divide(6n, 2n)).rejects.toMatchObject({
        code: 'engine-crashed',
        message: 'It was cut off, as its process ended: it was killed by SIGFPE. Try it again.',
      });
      await Promise.all([killer, other]);
      expect(host.state).toBe('dead');
      await expect(divide(6n, 2n)).rejects.toMatchObject({ code: 'engine-crashed' });
    },
  );

  it('logs what a process that died said last', async () => {
    const lines: string[] = [];
    const log = pino({}, { write: (line) => void lines.push(line) });
    const host = startHost({ log });
    await load(host, crashByRequest());
    await expect(run(host, KILLER, ['y'])).rejects.toMatchObject({ message: expect.stringMatching(/SIGABRT/) });
    expect(lines.join('')).toMatch(
      /"stderr":"terminate called.*"msg":"A host process ended: it was killed by SIGABRT"/,
    );
  });

  it('is killed when a run takes too long', async () => {
    const host = startHost();
    await load(host, endlessLoop());
    const pid = host.pid!;
    await expect(run(host, endlessRow, ['y'], { timeoutMs: 200 })).rejects.toMatchObject({
      code: 'engine-timeout',
      message: 'It ended its process: it took longer than 200 ms.',
    });
    expect(await host.gone).toEqual({ kind: 'timeout', timeoutMs: 200 });
    expect(isAlive(pid)).toBe(false);
  });

  it('ends itself when a run takes too much memory', async () => {
    const host = startHost({ memoryLimitBytes: 400 * 2 ** 20 });
    await load(host, allocation());
    const allocate = (count: bigint) => run(host, new Map([['n', tensor('INT64', [1], [count])]]), ['sum']);
    expect(elements((await allocate(1000n)).outputs!, 'sum')).toEqual([0]);
    await expect(allocate(300_000_000n)).rejects.toMatchObject({
      code: 'engine-memory',
      message: expect.stringMatching(/^It ended its process: it took \d+ MiB of memory, and 400 MiB are allowed\.$/),
    });
  });

  it('tells of a death from outside', async () => {
    const host = startHost();
    await load(host, linearModel());
    process.kill(host.pid!, 'SIGKILL');
    expect(await host.gone).toEqual({ kind: 'exit', code: null, signal: 'SIGKILL' });
    await expect(run(host, row, ['y'])).rejects.toMatchObject({ code: 'engine-crashed' });
  });

  it('leaves signals of the terminal to its parent', async () => {
    const host = startHost();
    await load(host, linearModel());
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(host.pid!, signal);
    expect(elements((await run(host, row, ['y'])).outputs!, 'y')).toEqual([9]);
  });

  it('ends when asked, idle or busy', async () => {
    const idle = startHost();
    await load(idle, linearModel());
    const busy = startHost();
    await load(busy, endlessLoop());
    const cut = expect(run(busy, endlessRow, ['y'])).rejects.toMatchObject({ code: 'engine-crashed' });
    const pids = [idle.pid!, busy.pid!];
    await Promise.all([idle.end(), busy.end(), cut]);
    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(await idle.gone).toEqual({ kind: 'ended' });
  });

  it.skipIf(process.platform !== 'linux')('sees nothing of the environment that it does not need', async () => {
    process.env['KEDGE_TEST_SECRET'] = 'secret';
    const host = startHost();
    await load(host, linearModel());
    delete process.env['KEDGE_TEST_SECRET'];
    expect(readFileSync(`/proc/${host.pid}/environ`, 'utf8')).not.toMatch(/SECRET|NODE_OPTIONS|PATH=|AWS/);
  });
});

describe('the parent killed by SIGKILL', () => {
  const program = fileURLToPath(new URL('./testing/orphan-parent.ts', import.meta.url));
  let parent: ChildProcess | undefined;
  afterEach(() => parent?.kill('SIGKILL'));

  it.each(['idle', 'busy'])('takes its host along, %s', async (state) => {
    const request = Buffer.from(JSON.stringify(await versionOf(endlessLoop()))).toString('base64');
    parent = spawn(process.execPath, [program, request, state], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(parent.stdout!, 'data')) as [Buffer];
    const pid = Number(line.toString());
    onTestFailed(() => void process.kill(pid, 'SIGKILL'));
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !isAlive(pid));
  });
});

function bytesOf(data: TensorData): Uint8Array {
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
}
