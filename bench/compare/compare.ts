import { join } from 'node:path';
import { parseJson } from '../../contract/json.ts';
import { TestVolume } from '../../server/testing/volume.ts';
import { addProbed } from '../kedge-server.ts';
import { closedLoad } from '../lean-load/loads.ts';
import { driveLoad } from '../load/drive-load.ts';
import type { AnswerCheck, WantedOutput } from '../load/load-options.ts';
import { cores, cpuSeconds, residentBytes } from '../processes.ts';
import { type BenchModel, gbdt, mlp } from '../serving/models.ts';
import { type BenchIo, type BenchResult, drawTable } from '../verdict.ts';
import { type Contender, firstAnswer, type Peer, type Serving, startOurs, startPeer } from './contenders.ts';
import { outstandingBeside, remarks } from './remarks.ts';
import { faults, type Measured, summarize } from './summary.ts';

export interface CompareOptions {
  rounds: number;
  /** Of each load. */
  seconds: number;
  /** Of the closed loop. */
  connections: number;
  /** Requests a second of the open loop; half of what the slowest bears if absent. */
  rate: number | undefined;
  /** The model and one request for it; the ensemble of the shared models, or else a perceptron, if absent. */
  model: Pick<BenchModel, 'name' | 'bytes' | 'body'> | undefined;
  peers: readonly Peer[];
  /** Makes what peers need where it is not there. */
  install: boolean;
  /** Servers that are there already. */
  there: readonly Contender[];
}

type Settled = CompareOptions & { model: NonNullable<CompareOptions['model']> };

const WARM_UP_MS = 1_000;
/** Runtimes of other builds round otherwise. */
const TOLERANCE = { abs: 1e-4, rel: 1e-3 };

/** The same model and body, by servers in turns: as fast as they can, and at one rate for all. All answers of the open loop are checked against Kedge's first. */
export async function benchCompare(asked: CompareOptions, io: BenchIo): Promise<BenchResult> {
  const options = { ...asked, model: asked.model ?? gbdt() ?? mlp() };
  const volume = new TestVolume();
  const started: Contender[] = [];
  try {
    const { path } = await addProbed(volume, options.model);
    await volume.write();
    const file = join(volume.dir, path, 'model.onnx');
    const contenders = await startAll(
      { volume, file, model: options.model.name, core: cores.server },
      options,
      io,
      started,
    );
    const check = await checkOf(contenders[0]!, options.model.body, io.signal);
    for (const contender of contenders.slice(1)) await firstAnswer(contender, options.model.body, io.signal);
    const rounds: Map<string, Measured>[] = [];
    let rate = options.rate;
    for (let round = 0; round < options.rounds; round += 1) {
      // Each is the first one in its turn.
      const turn = [...contenders.slice(round % contenders.length), ...contenders.slice(0, round % contenders.length)];
      const loops = new Map<string, Closed>();
      for (const one of turn) loops.set(one.name, await closed(one, options, io));
      rate ??= Math.min(...[...loops.values()].map(({ perSecond }) => perSecond)) / 2;
      const measured = new Map<string, Measured>();
      for (const one of turn) {
        measured.set(one.name, { ...loops.get(one.name)!, ...(await open(one, rate, check, options, io)) });
      }
      rounds.push(measured);
    }
    return told(contenders, rounds, rate!, io, options);
  } finally {
    for (const contender of started) await contender.stop();
    volume.remove();
  }
}

async function startAll(
  serving: Serving,
  { peers, install, there }: CompareOptions,
  { out }: BenchIo,
  started: Contender[],
): Promise<Contender[]> {
  started.push(await startOurs(serving));
  for (const peer of peers) {
    const one = await startPeer(peer, serving, { install });
    if ('missing' in one) out.write(`${peer} is left out: ${one.missing}\n`);
    else started.push(one);
  }
  return [...started, ...there];
}

/** What every server must answer: what Kedge does. */
async function checkOf(ours: Contender, body: string, signal: AbortSignal): Promise<AnswerCheck> {
  const { outputs } = parseJson(await firstAnswer(ours, body, signal)) as { outputs: WantedOutput[] };
  return { outputs, tolerance: TOLERANCE };
}

type Closed = Pick<Measured, 'perSecond' | 'cpuMicros' | 'mebibytes' | 'p50' | 'p99' | 'closedFailed'>;

async function closed({ url, pid }: Contender, options: Settled, { signal }: BenchIo): Promise<Closed> {
  signal.throwIfAborted();
  const cpu = { before: 0, after: 0 };
  const take = (when: keyof typeof cpu) => (): void => {
    cpu[when] = (pid === undefined ? undefined : cpuSeconds(pid)) ?? Number.NaN;
  };
  const job = {
    ...{ host: url.hostname, port: Number(url.port || 80), path: url.pathname, body: options.model.body },
    ...{ connections: options.connections, warmUpMs: WARM_UP_MS, durationMs: options.seconds * 1_000 },
  };
  const { requests, failed, seconds, p50, p99 } = await closedLoad(job, cores.load, {
    onBegin: take('before'),
    onEnd: take('after'),
  });
  return {
    perSecond: (requests - failed) / seconds,
    cpuMicros: ((cpu.after - cpu.before) * 1e6) / requests,
    mebibytes: ((pid === undefined ? undefined : residentBytes(pid)) ?? Number.NaN) / 2 ** 20,
    p50,
    p99,
    closedFailed: failed,
  };
}

async function open(
  { name, url }: Contender,
  rate: number,
  check: AnswerCheck,
  { seconds, model, connections }: Settled,
  { signal, out }: BenchIo,
): Promise<Omit<Measured, keyof Closed>> {
  const schedule = { segments: [{ from: 0, to: seconds, startRate: rate, endRate: rate, random: true }] };
  const request = { model: model.name, weight: 1, path: url.pathname, body: model.body, check };
  const maxOutstanding = outstandingBeside(connections);
  const load = { url: url.origin, requests: [request], schedule, maxOutstanding };
  const { total, problems } = await driveLoad(load, { signal });
  signal.throwIfAborted();
  for (const line of remarks(total, { problems, maxOutstanding })) out.write(`${name}: ${line}\n`);
  const { latency, wrong, failed, dropped } = total;
  const ms = (micros: number | undefined): number => (micros ?? Number.NaN) / 1_000;
  return { openP50: ms(latency?.p50), openP99: ms(latency?.p99), wrong, openFailed: failed, dropped };
}

function told(
  contenders: readonly Contender[],
  rounds: readonly Map<string, Measured>[],
  rate: number,
  { out }: BenchIo,
  { connections, seconds, model }: Settled,
): BenchResult {
  const pinned =
    cores.server === undefined
      ? 'not held to cores'
      : 'those started here held to one core, the closed loop to another';
  out.write(
    `${model.name}: ${rounds.length} rounds in turns, ${seconds} s each; closed loop of ${connections} connections, open loop of ${Math.round(rate)} a second; ${pinned}\n`,
  );
  const summary = contenders.map(({ name }) => summarize(name, rounds));
  drawTable(
    out,
    summary.map(({ absolute }) => absolute),
  );
  if (contenders.length > 1)
    drawTable(
      out,
      summary.slice(1).map(({ relative }) => relative),
    );
  const figures = faults(
    contenders.map(({ name }) => name),
    rounds,
  );
  return { figures, details: { rate, rounds: rounds.map((round) => Object.fromEntries(round)) } };
}
