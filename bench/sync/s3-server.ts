import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Where versitygw, a real S3 server, should be: `tests/install-servers.sh` puts it there. */
export function s3Program(env: Readonly<Record<string, string | undefined>>): string {
  return (
    env['KEDGE_TEST_VERSITYGW'] ||
    join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kedge/versitygw-1.8.0/versitygw')
  );
}

const ACCESS_KEY = 'kedgeaccess';
const SECRET_KEY = 'kedgesecretkey1';

const START_MS = 20_000;
const START_ATTEMPTS = 3;

export interface S3Server {
  url: string;
  bucket: string;
  /** Variables with which the AWS SDK, in this process or a child, finds the server. */
  env: Record<string, string>;
  /** For a store in this process: `openStore('s3://…', { s3: server.s3 })`. */
  s3: { endpoint: string; fallbackRegion: string; credentials: { accessKeyId: string; secretAccessKey: string } };
  /** Folder that holds the objects of the bucket. */
  dir: string;
  /** SIGSTOP and SIGCONT: a server that takes connections and does not answer. */
  pause(): Promise<void>;
  resume(): void;
  stop(): Promise<void>;
}

/** Starts a server with one bucket, on a free port, with a folder that goes away at its stop. @param program see {@link s3Program} */
export async function startS3Program(program: string, bucket: string): Promise<S3Server> {
  const dir = mkdtempSync(join(tmpdir(), 'kedge-s3-'));
  for (const folder of [`data/${bucket}`, 'iam']) mkdirSync(join(dir, folder), { recursive: true });
  const { child, port } = await start(program, dir);
  const endpoint = `http://127.0.0.1:${port}`;
  const onExit = (): void => void child.kill('SIGKILL');
  process.once('exit', onExit);
  return {
    url: endpoint,
    bucket,
    env: s3Env(endpoint),
    s3: s3Options(endpoint),
    dir: join(dir, 'data', bucket),
    async pause() {
      child.kill('SIGSTOP');
      // The signal takes a moment to reach all threads of the server.
      while (await fetch(`${endpoint}/health`, { signal: AbortSignal.timeout(200) }).catch(() => undefined));
    },
    resume: () => void child.kill('SIGCONT'),
    async stop() {
      process.off('exit', onExit);
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null)
        await new Promise((resolve) => child.once('exit', resolve));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The same for another address, as that of a proxy in front of the server. */
export function s3Env(endpoint: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: SECRET_KEY,
    AWS_REGION: 'us-east-1',
  };
}

export function s3Options(endpoint: string): S3Server['s3'] {
  return {
    endpoint,
    fallbackRegion: 'us-east-1',
    credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY },
  };
}

/** A port that is free now may be taken by the time the server asks for it, so this tries again. */
async function start(program: string, dir: string): Promise<{ child: ChildProcess; port: number }> {
  let output = '';
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    const port = await freePort();
    const args = ['-a', ACCESS_KEY, '-s', SECRET_KEY, '--port', `127.0.0.1:${port}`, '--quiet', '--health', '/health'];
    const child = spawn(program, [...args, '--iam-dir', join(dir, 'iam'), 'posix', join(dir, 'data')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
      });
    if (await answers(child, `http://127.0.0.1:${port}/health`)) return { child, port };
    child.kill('SIGKILL');
  }
  rmSync(dir, { recursive: true, force: true });
  throw new Error(`versitygw did not start: ${output}`);
}

async function answers(child: ChildProcess, url: string): Promise<boolean> {
  for (let waited = 0; waited < START_MS && child.exitCode === null; waited += 50) {
    if (
      await fetch(url).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      return true;
    await delay(50);
  }
  return false;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
