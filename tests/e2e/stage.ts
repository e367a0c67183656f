import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseJson, stringifyJson } from '../../contract/json.ts';
import type { ObjectStore } from '../../registry/object-store.ts';
import { type OpenStoreOptions, openStore } from '../../registry/open-store.ts';
import { type Env, eventually, freePort, type Program, runKedge, startProgram } from './programs.ts';

export interface VersionStatus {
  version: string;
  state: string;
  digest?: string;
  reasons?: { code: string; message: string }[];
}

/** One bucket, one volume, a loader and a server, as one pod would have them. */
export interface Stage {
  readonly dir: string;
  readonly env: Env;
  readonly volume: string;
  startLoader(extra?: Env): Promise<Program>;
  startServer(extra?: Env): Promise<{ program: Program; url: string; admin: string }>;
  kedge(words: readonly string[], extra?: Env): ReturnType<typeof runKedge>;
  /** The bucket, as someone with an S3 client sees it. */
  readonly bucket: ObjectStore;
  /** Copies an object into the bucket, as `aws s3 cp` does. */
  drop(key: string, bytes: Uint8Array): Promise<void>;
  /** Ends every program that it started, and removes the folder. */
  close(): Promise<void>;
}

const QUICK: Env = {
  KEDGE_POLL_SECONDS: '0.3',
  KEDGE_LIST_SECONDS: '0.6',
  KEDGE_CATALOG_POLL_SECONDS: '0.5',
  KEDGE_LOCK_STALE_SECONDS: '3',
  KEDGE_PROBE_LOAD_SECONDS: '8',
  KEDGE_PROBE_RUN_SECONDS: '4',
  KEDGE_PROBE_MEMORY_MB: '1024',
  KEDGE_KEEP_SECONDS: '5',
  KEDGE_DRAIN_SECONDS: '0',
};

export interface StageOptions {
  /** A folder of the stage's own if absent. */
  bucket?: string;
  /** For the programs. */
  env?: Env;
  /** For the store in this process. */
  s3?: OpenStoreOptions['s3'];
}

export function createStage({ bucket: url, env = {}, s3 }: StageOptions = {}): Stage {
  const dir = mkdtempSync(join(tmpdir(), 'kedge-stage-'));
  const volume = join(dir, 'volume');
  const bucket = join(dir, 'bucket');
  mkdirSync(volume);
  mkdirSync(bucket);
  const bucketUrl = url ?? `file://${bucket}`;
  const common: Env = { ...QUICK, KEDGE_BUCKET: bucketUrl, KEDGE_VOLUME: volume, ...env };
  const programs: Program[] = [];
  const store = openStore(bucketUrl, s3 ? { s3 } : {});
  return {
    dir,
    bucket: store,
    async drop(key, bytes) {
      await store.put(key, bytes, {});
    },
    volume,
    env: common,
    async startLoader(extra = {}) {
      const port = await freePort();
      const program = startProgram(['load'], { ...common, KEDGE_LOADER_PORT: String(port), ...extra });
      programs.push(program);
      return program;
    },
    async startServer(extra = {}) {
      const [port, adminPort] = [await freePort(), await freePort()];
      const ports = { KEDGE_PORT: String(port), KEDGE_ADMIN_PORT: String(adminPort) };
      const program = startProgram(['serve'], { ...common, ...ports, ...extra });
      programs.push(program);
      const url = `http://127.0.0.1:${port}`;
      await eventually(async () => (await fetch(`${url}/v2/health/live`)).ok, 'a live server');
      return { program, url, admin: `http://127.0.0.1:${adminPort}` };
    },
    kedge: (words, extra = {}) => runKedge(words, { ...common, ...extra }),
    async close() {
      await Promise.all(programs.map((program) => program.kill()));
      store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export interface Reply {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
  body: any;
}

export async function getJson(url: string): Promise<Reply> {
  const response = await fetch(url);
  return { status: response.status, headers: response.headers, body: parseJson(await response.text()) };
}

export async function postJson(url: string, body: unknown): Promise<Reply> {
  const response = await fetch(url, { method: 'POST', body: stringifyJson(body) });
  return { status: response.status, headers: response.headers, body: parseJson(await response.text()) };
}

export async function versionStatus(url: string, model: string, version: number): Promise<VersionStatus | undefined> {
  const { status, body } = await getJson(`${url}/v2/models/${model}/versions`);
  if (status !== 200) return undefined;
  return body.versions.find((entry: VersionStatus) => entry.version === String(version));
}

export async function waitForActive(url: string, model: string, version: number, withinMs?: number): Promise<void> {
  await eventually(
    async () => (await getJson(`${url}/v2/models/${model}/versions`)).body.active === String(version),
    `version ${version} of ${model} active`,
    withinMs,
  );
}
