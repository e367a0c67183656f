import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { CatalogAvailable, ProbeReport } from '../contract/catalog.ts';
import { probe } from '../engine/probe.ts';
import { silentLog } from '../platform/log.ts';
import type { AddOptions, TestVolume } from '../server/testing/volume.ts';
import { linesOf, type StartOptions, startNode, stop } from './processes.ts';

/** A Kedge server over a volume, in a process of its own. */
export interface KedgeServer {
  child: ChildProcess;
  /** Of predictions. */
  port: number;
  /** What it warned of so far, as lines of JSON. */
  complaints: string[];
  stop(): Promise<void>;
}

export interface KedgeOptions extends StartOptions {
  /** Arguments of Node before the program, such as a preload. */
  nodeArgs?: readonly string[];
  /** A `kedge` of another build than this one. */
  program?: string | undefined;
}

/** A process that was told to serve. */
export interface SpawnedKedge {
  child: ChildProcess;
  /** What it warned of so far, as lines of JSON. */
  complaints: string[];
  /** Once it listens. Rejects if it ends before. */
  listening: Promise<{ port: number; adminPort: number }>;
}

/** In a clone, or the bundle that this lies in. */
const PROGRAM = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../bin/kedge.ts' : './kedge.js', import.meta.url),
);
const LOUD = new Set(['warn', 'error', 'fatal']);
const READY_MS = 60_000;

/** Starts a server and waits until it listens. @throws Error if it ends before */
export async function startKedge(volume: Pick<TestVolume, 'dir'>, options: KedgeOptions = {}): Promise<KedgeServer> {
  const { child, complaints, listening } = spawnKedge(volume, options);
  const { port } = await listening;
  return { child, port, complaints, stop: () => stop(child) };
}

/** Starts a server. */
export function spawnKedge(volume: Pick<TestVolume, 'dir'>, options: KedgeOptions = {}): SpawnedKedge {
  const { nodeArgs = [], env, program = PROGRAM, ...rest } = options;
  const child = startNode([...nodeArgs, program, 'serve'], { ...rest, env: { ...serveEnvironment(volume), ...env } });
  child.stdout!.resume();
  const complaints: string[] = [];
  const listening = new Promise<{ port: number; adminPort: number }>((resolve, reject) => {
    void (async () => {
      for await (const line of { [Symbol.asyncIterator]: () => linesOf(child, 'stderr') }) {
        const told = entryOf(line);
        if (!told || LOUD.has(told.level ?? '')) complaints.push(line);
        if (told?.port !== undefined && told.adminPort !== undefined) {
          resolve({ port: told.port, adminPort: told.adminPort });
        }
      }
      reject(new Error(`the server ended: ${complaints.join('\n')}`));
    })();
  });
  return { child, complaints, listening };
}

/** What has a server listen on any port of this machine alone. */
export function serveEnvironment(volume: Pick<TestVolume, 'dir'>): Record<string, string> {
  return {
    KEDGE_VOLUME: volume.dir,
    KEDGE_HOST: '127.0.0.1',
    KEDGE_PORT: '0',
    KEDGE_ADMIN_PORT: '0',
    KEDGE_DRAIN_SECONDS: '0',
  };
}

/** Waits until the models of its first catalog came through. */
export async function untilReady({ port }: Pick<KedgeServer, 'port'>): Promise<void> {
  await until(`http://127.0.0.1:${port}/v2/health/ready`, (response) => response.ok);
}

/** Waits until unversioned requests for a model are answered by a version. */
export async function untilAnswers(
  { port }: Pick<KedgeServer, 'port'>,
  { name, body }: { name: string; body: string },
  version: number,
): Promise<void> {
  await until(
    `http://127.0.0.1:${port}/v2/models/${name}/infer`,
    async (response) =>
      response.ok && ((await response.json()) as { model_version: string }).model_version === String(version),
    { method: 'POST', body, headers: { 'content-type': 'application/json' } },
  );
}

async function until(
  url: string,
  holds: (response: Response) => boolean | Promise<boolean>,
  init?: RequestInit,
): Promise<void> {
  for (const over = performance.now() + READY_MS; performance.now() < over; await setTimeout(20)) {
    const response = await fetch(url, init);
    if (await holds(response)) return;
    if (!response.bodyUsed) await response.arrayBuffer();
  }
  throw new Error(`${url} did not come to answer as wanted`);
}

/** Lays a version down with what the loader's probe measures of it. */
export async function addProbed(
  volume: TestVolume,
  { name, bytes }: { name: string; bytes: Uint8Array },
  options: AddOptions & { version?: number } = {},
): Promise<CatalogAvailable> {
  const { version = 1, ...rest } = options;
  return volume.add(name, version, bytes, {
    ...rest,
    probe: await measure(volume, volume.add(name, version, bytes, rest)),
  });
}

async function measure(volume: TestVolume, { path, manifest }: CatalogAvailable): Promise<ProbeReport> {
  const { files, signature, model } = manifest;
  const request = { name: model, dir: join(volume.dir, path), files, signature };
  const limits = { loadMs: 60_000, runMs: 20_000, memoryBytes: 2 ** 31 };
  const result = await probe(request, { bare: false, limits, log: silentLog });
  if (!result.ok) throw new Error(result.refusals.map(({ message }) => message).join(' '));
  return result.report;
}

function entryOf(line: string): { port?: number; adminPort?: number; level?: string } | undefined {
  try {
    return JSON.parse(line) as { port?: number; adminPort?: number; level?: string };
  } catch {
    return undefined;
  }
}
