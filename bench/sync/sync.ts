import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { KedgeError } from '../../contract/errors.ts';
import { openStore } from '../../registry/open-store.ts';
import { publish } from '../../registry/publish.ts';
import { bundleForPods } from '../cluster/program.ts';
import { table } from '../serving/models.ts';
import { median } from '../statistics.ts';
import { type BenchIo, type BenchResult, drawTable, type Figure, rounded } from '../verdict.ts';
import { type Client, otherClients, ourClients, type Source, THIS_BUNDLE } from './clients.ts';
import { startCountingProxy } from './counting-proxy.ts';
import { missingBytes } from './missing-bytes.ts';
import { type S3Server, startS3Program } from './s3-server.ts';
import { timed } from './timed.ts';

export interface SyncOptions {
  rounds: number;
  /** Models of one MiB, and how many. */
  many: number;
  /** Large models, and their MiB. */
  big: number;
  size: number;
  /** A bucket that is there, instead of one that is made: `s3://BUCKET/PREFIX`, with the variables that reach it. */
  there: Source | undefined;
  /** The S3 server that holds a bucket that is made. */
  s3Program: string;
  /** Where clients are looked for. */
  path: string;
  /** Makes the Python environment of clients where it is not there. */
  install: boolean;
}

/** One client in one round. */
interface Measured {
  seconds: number;
  cpuSeconds: number;
  /** Of model files, in the folder at the end. */
  bytes: number;
}

/**
 * All of a bucket into an empty folder: what the loader fetches with, and the loader as a whole, beside other clients of S3 that are here, in turns, each in a
 * process of its own whose start counts. The server shares the machine, its CPU is not counted.
 */
export async function benchSync(options: SyncOptions, io: BenchIo): Promise<BenchResult> {
  const { clients: others, missing } = otherClients(options.path, options.install);
  if (missing.length > 0) io.out.write(`Left out, as not installed: ${missing.join(', ')}.\n`);
  const server = options.there ? undefined : await ownServer(options.s3Program);
  const bundle = await bundleForPods();
  try {
    const clients = [...ourClients(bundle.path ? dirname(bundle.path) : THIS_BUNDLE, process.execPath), ...others];
    const source = options.there ?? { url: `s3://${server!.bucket}`, env: server!.env };
    if (server) await fill(server, options, io);
    const requests = server ? await countRequests(clients, source, server, io.signal) : undefined;
    const rounds: Map<string, Measured>[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      const turn = [...clients.slice(round % clients.length), ...clients.slice(0, round % clients.length)];
      const measured = new Map<string, Measured>();
      for (const client of turn) measured.set(client.name, await fetchAll(client, source, io.signal));
      rounds.push(measured);
    }
    return told(clients, rounds, requests, io);
  } finally {
    await bundle.remove();
    await server?.stop();
  }
}

async function ownServer(program: string): Promise<S3Server> {
  if (existsSync(program)) return startS3Program(program, 'models');
  throw new KedgeError(
    'config-invalid',
    'there is no S3 server here: bash tests/install-servers.sh puts one there, or name a bucket with --bucket or KEDGE_BUCKET.',
  );
}

/** Publishes models, as a person would. */
async function fill(
  { bucket, s3 }: S3Server,
  { many, big, size }: SyncOptions,
  { out, signal }: BenchIo,
): Promise<void> {
  const store = openStore(`s3://${bucket}`, { s3 });
  const folder = mkdtempSync(join(tmpdir(), 'kedge-sync-'));
  const file = join(folder, 'model.onnx');
  try {
    out.write(`publishing ${many} models of 1 MiB and ${big} of ${size} MiB\n`);
    for (let index = 0; index < many + big; index += 1) {
      signal.throwIfAborted();
      writeFileSync(file, table(index < many ? 1 : size, index).bytes);
      await publish({ store, source: file, model: `model-${index}`, signal });
    }
  } finally {
    store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One client, once, into a folder that goes away. @throws KedgeError `bucket-unreachable` where it fails */
async function fetchAll(client: Client, source: Source, signal: AbortSignal): Promise<Measured> {
  signal.throwIfAborted();
  const dir = mkdtempSync(join(tmpdir(), 'kedge-sync-'));
  try {
    const env = { ...source.env, ...client.env?.(source), HOME: dirname(dir) };
    const { code, seconds, cpuSeconds, complaint } = await timed(client.command(source, dir), env, signal);
    if (code !== 0) throw new KedgeError('bucket-unreachable', `${client.name} ended with ${code}: ${complaint}`);
    return { seconds, cpuSeconds, bytes: modelBytes(dir) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function modelBytes(dir: string): number {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true });
  return files
    .filter((entry) => entry.isFile() && entry.name === 'model.onnx')
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

/** By client: how often it asks for something. Through a proxy, which costs time, and so in a round of its own. */
async function countRequests(
  clients: readonly Client[],
  { url, env }: Source,
  server: S3Server,
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const client of clients) {
    const proxy = await startCountingProxy(server.url);
    try {
      await fetchAll(client, { url, env: { ...env, AWS_ENDPOINT_URL_S3: proxy.url } }, signal);
      counts.set(client.name, proxy.count());
    } finally {
      await proxy.close();
    }
  }
  return counts;
}

function told(
  clients: readonly Client[],
  rounds: readonly ReadonlyMap<string, Measured>[],
  requests: ReadonlyMap<string, number> | undefined,
  { out }: BenchIo,
): BenchResult {
  const of = (name: string, key: keyof Measured): number[] => rounds.map((round) => round.get(name)![key]);
  const [ours] = clients;
  const ratios = (name: string, key: 'seconds' | 'cpuSeconds'): number[] =>
    of(ours!.name, key).map((value, round) => value / of(name, key)[round]!);
  const spread = (values: readonly number[]): string =>
    `${rounded(median(values))} (${rounded(Math.min(...values))} to ${rounded(Math.max(...values))})`;
  drawTable(
    out,
    clients.map(({ name }) => ({
      client: name,
      seconds: spread(of(name, 'seconds')),
      'MB/s': rounded(median(of(name, 'bytes').map((bytes, round) => bytes / 1e6 / of(name, 'seconds')[round]!))),
      'CPU s': spread(of(name, 'cpuSeconds')),
      'CPU s/GB': rounded(median(of(name, 'cpuSeconds').map((cpu, round) => cpu / (of(name, 'bytes')[round]! / 1e9)))),
      requests: requests?.get(name) ?? Number.NaN,
      'fetch alone to it: time': spread(ratios(name, 'seconds')),
      'and CPU': spread(ratios(name, 'cpuSeconds')),
    })),
  );
  const whole = missingBytes(
    clients.map(({ name }) => name).filter((name) => name !== 'kedge load --once'),
    rounds,
  );
  const yardstick = clients.find(({ name }) => name.startsWith('aws'));
  const figures: Figure[] = yardstick
    ? [
        {
          what: 'CPU of the fetch with sha256, to aws s3 sync',
          wanted: { atMost: 1.1 },
          measured: ratios(yardstick.name, 'cpuSeconds'),
        },
      ]
    : [];
  return {
    figures: [...figures, ...whole],
    details: {
      requests: requests && Object.fromEntries(requests),
      rounds: rounds.map((round) => Object.fromEntries(round)),
    },
  };
}
