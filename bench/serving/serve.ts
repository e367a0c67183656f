import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CatalogAvailable } from '../../contract/catalog.ts';
import { placeVersion } from '../../server/placement.ts';
import { TestVolume } from '../../server/testing/volume.ts';
import { addProbed, startKedge, untilAnswers } from '../kedge-server.ts';
import { closedLoad } from '../lean-load/loads.ts';
import { readOptions } from '../options.ts';
import { canPin, cpuSeconds, linesOf, startNode, stop } from '../processes.ts';
import { median } from '../statistics.ts';
import { type BenchModel, gbdt, mlp } from './models.ts';

/**
 * What a request costs: Kedge side by side with three references: the floor (node:http without inference), Hono with
 * onnxruntime-node and one run for each request, and a bare prototype of the same with one run for each turn of the loop. The server is held to one core and the load to another, rounds take turns, and ratios are medians over rounds.
 *
 *   node bench/serving/serve.ts [--rounds 5] [--seconds 3] [--connections 64] [--only gbdt|mlp] [--json FILE]
 */
const values = readOptions({ rounds: 5, seconds: 3, connections: 64 }, ['only']);
const ROUNDS = values.rounds;
const DURATION_MS = values.seconds * 1000;
const CONNECTIONS = values.connections;
const WARM_UP_MS = 1_000;
const SERVER_CORE = 0;
const LOAD_CORE = 1;

const KINDS = ['floor', 'hono', 'prototype', 'kedge'] as const;
type Kind = (typeof KINDS)[number];

interface Measured {
  perSecond: number;
  /** Of the server and its children, for each request; undefined where it cannot be told. */
  cpuMicros: number | undefined;
  p50: number;
  p99: number;
  failed: number;
}

interface Server {
  kind: Kind;
  child: ChildProcess;
  port: number;
}

const pinned = canPin();
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const core = (number: number): number | undefined => (pinned ? number : undefined);

async function startServer(kind: Kind, model: BenchModel, volume: TestVolume, file: string): Promise<Server> {
  const server =
    kind === 'kedge' ? await startKedge(volume, { core: core(SERVER_CORE) }) : await startReference(kind, model, file);
  await untilAnswers(server, model, 1);
  return { kind, child: server.child, port: server.port };
}

/** The references write their port on standard output. */
async function startReference(
  kind: Exclude<Kind, 'kedge'>,
  { input, output, columns, answers }: BenchModel,
  file: string,
): Promise<Omit<Server, 'kind'>> {
  const args = {
    floor: [here('servers/floor.ts'), String(answers)],
    hono: [here('servers/hono.ts'), file, input, output, String(columns)],
    prototype: [here('servers/prototype.ts'), file, input, output, String(columns)],
  };
  const child = startNode(args[kind], { core: core(SERVER_CORE) });
  const { value, done } = await linesOf(child).next();
  if (done) throw new Error(`the ${kind} server ended before it listened`);
  for (const stream of [child.stdout!, child.stderr!]) stream.resume();
  return { child, port: Number(value) };
}

async function measure({ child, port }: Server, { name, body }: BenchModel): Promise<Measured> {
  const job = { port, path: `/v2/models/${name}/infer`, body, connections: CONNECTIONS };
  let before: number | undefined;
  let after: number | undefined;
  const result = await closedLoad({ ...job, warmUpMs: WARM_UP_MS, durationMs: DURATION_MS }, core(LOAD_CORE), {
    onBegin: () => {
      before = cpuSeconds(child.pid!);
    },
    onEnd: () => {
      after = cpuSeconds(child.pid!);
    },
  });
  const cpu = before === undefined || after === undefined ? undefined : after - before;
  return {
    perSecond: result.requests / result.seconds,
    cpuMicros: cpu === undefined ? undefined : (cpu * 1e6) / result.requests,
    p50: result.p50,
    p99: result.p99,
    failed: result.failed,
  };
}

async function bench(model: BenchModel): Promise<object> {
  const volume = new TestVolume();
  const servers: Server[] = [];
  try {
    const entry = await addProbed(volume, model);
    await volume.write();
    const file = join(volume.dir, entry.path, 'model.onnx');
    for (const kind of KINDS) servers.push(await startServer(kind, model, volume, file));
    const rounds: Record<Kind, Measured>[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const entries: [Kind, Measured][] = [];
      for (const server of servers) entries.push([server.kind, await measure(server, model)]);
      rounds.push(Object.fromEntries(entries) as Record<Kind, Measured>);
    }
    return printed(model, entry, rounds);
  } finally {
    for (const { child } of servers) await stop(child);
    volume.remove();
  }
}

function printed(model: BenchModel, entry: CatalogAvailable, rounds: readonly Record<Kind, Measured>[]): object {
  const { probe } = entry;
  const { engine } = placeVersion(entry, 'auto');
  const of = (kind: Kind, key: keyof Measured): number => median(rounds.map((round) => round[kind][key] ?? Number.NaN));
  const ratio = (key: keyof Measured, to: Kind): number =>
    median(rounds.map((round) => (round.kedge[key] ?? Number.NaN) / (round[to][key] ?? Number.NaN)));
  const table = Object.fromEntries(
    KINDS.map((kind) => [
      kind,
      {
        'CPU us/request': Math.round(of(kind, 'cpuMicros')),
        'requests/s': Math.round(of(kind, 'perSecond')),
        'p50 ms': Number(of(kind, 'p50').toFixed(2)),
        'p99 ms': Number(of(kind, 'p99').toFixed(2)),
        failed: of(kind, 'failed'),
      },
    ]),
  );
  const ratios = {
    'throughput to floor': ratio('perSecond', 'floor'),
    'throughput to hono': ratio('perSecond', 'hono'),
    'throughput to prototype': ratio('perSecond', 'prototype'),
    'CPU to floor': ratio('cpuMicros', 'floor'),
    'CPU to hono': ratio('cpuMicros', 'hono'),
    'CPU to prototype': ratio('cpuMicros', 'prototype'),
  };
  process.stdout.write(
    `\n${model.name}: ${CONNECTIONS} connections, ${ROUNDS} rounds of ${DURATION_MS} ms, ${pinned ? 'server and load on a core each' : 'not pinned'}; probed load ${probe.loadMs.toFixed(1)} ms, run ${probe.runMs.toFixed(3)} ms, so Kedge runs it ${engine}\n`,
  );
  console.table(table);
  console.table(Object.fromEntries(Object.entries(ratios).map(([name, value]) => [name, Number(value.toFixed(3))])));
  return { model: model.name, pinned, connections: CONNECTIONS, probe, engine, servers: table, ratios, rounds };
}

const ensemble = gbdt();
const models = [ensemble, mlp()].flatMap((model) =>
  model && (values.only === undefined || values.only === model.name) ? [model] : [],
);
if (!ensemble) process.stdout.write('gbdt is left out: ../shared/models is not here.\n');
const results: object[] = [];
for (const model of models) results.push(await bench(model));
if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
