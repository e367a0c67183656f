import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

/** `none`, or any program that is not there, leaves out what wants one. */
const PROGRAM = process.env['KEDGE_TEST_REDIS'] || 'redis-server';

export const hasRedis = spawnSync(PROGRAM, ['--version']).status === 0;

/** For the title of a suite: says so where its tests are left out. */
export function withRedis(title: string): string {
  return hasRedis ? title : `${title} (left out: no redis-server is installed)`;
}

export interface TestRedis {
  url: string;
  /** SIGKILL. What its append-only file has is there after `start`. */
  kill(): Promise<void>;
  /** The same server again, on the same port. */
  start(): Promise<void>;
  /** One command, such as CONFIG SET maxmemory 1mb. */
  command(name: string, ...words: string[]): Promise<unknown>;
  stop(): Promise<void>;
}

/** A Redis of its own on a free port, with a folder and an append-only file that is written at once. */
export async function startRedis(): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'kedge-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const words = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--save', ''];
  let child: ChildProcess;
  const ask = async <T>(use: (redis: Redis) => Promise<T>): Promise<T> => {
    const redis = new Redis(url, { retryStrategy: (times) => (times > 400 ? null : 25) });
    redis.on('error', () => undefined);
    try {
      return await use(redis);
    } finally {
      redis.disconnect();
    }
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  const server: TestRedis = {
    url,
    kill: () => end('SIGKILL'),
    async start() {
      child = spawn(PROGRAM, [...words, '--appendonly', 'yes', '--appendfsync', 'always'], { stdio: 'ignore' });
      process.once('exit', () => child.kill('SIGKILL'));
      await ask((redis) => redis.ping());
    },
    command: (name, ...rest) => ask((redis) => redis.call(name, ...rest)),
    async stop() {
      await end('SIGKILL');
      await rm(dir, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
