import { TestVolume } from '../../server/testing/volume.ts';
import { addProbed, type KedgeServer, startKedge, untilReady } from '../kedge-server.ts';
import { closedLoad, openLoad } from '../lean-load/loads.ts';
import type { OpenLoadResult } from '../lean-load/open-load.ts';
import { cores } from '../processes.ts';
import { type BenchIo, type BenchResult, drawTable, type Figure, never, rounded } from '../verdict.ts';
import { type BenchModel, costly, gbdt, mlp } from './models.ts';

export interface OverloadOptions {
  rounds: number;
  seconds: number;
  /** The load, to the peak. */
  times: number;
  /** Milliseconds. */
  deadline: number;
  /** Most requests under way. */
  connections: number;
}

/** So few that the peak itself keeps the deadline. */
const PEAK_CONNECTIONS = 16;
const WARM_UP_MS = 1_000;

interface Round {
  /** Answers a second at the peak, and their 99th percentile in milliseconds. */
  peak: number;
  peakP99: number;
  overload: OpenLoadResult;
}

async function measure({ port }: KedgeServer, { name, body }: BenchModel, options: OverloadOptions): Promise<Round> {
  const job = {
    port,
    path: `/v2/models/${name}/infer`,
    body,
    warmUpMs: WARM_UP_MS,
    durationMs: options.seconds * 1_000,
  };
  const alone = await closedLoad({ ...job, connections: PEAK_CONNECTIONS }, cores.load);
  const peak = (alone.requests - alone.failed) / alone.seconds;
  const overload = await openLoad(
    {
      ...job,
      headers: { 'kedge-timeout-ms': String(options.deadline) },
      connections: options.connections,
      perSecond: peak * options.times,
      deadlineMs: options.deadline,
    },
    cores.load,
  );
  return { peak, peakP99: alone.p99, overload };
}

function told({ peak, peakP99, overload }: Round): object {
  const share = (count: number): number => rounded(count / overload.scheduled);
  return {
    'peak /s': Math.round(peak),
    'peak p99 ms': rounded(peakP99),
    'offered /s': Math.round(overload.scheduled / overload.seconds),
    good: share(overload.good),
    late: share(overload.late),
    refused: share(overload.refused),
    failed: share(overload.failed),
    'never sent': share(overload.dropped),
    'p99 of 200 ms': rounded(overload.p99),
    'load behind ms': rounded(overload.behindP99),
  };
}

async function bench(
  model: BenchModel,
  options: OverloadOptions,
  { out, signal }: BenchIo,
): Promise<{ figures: Figure[]; rounds: Round[] }> {
  const volume = new TestVolume();
  try {
    await addProbed(volume, model);
    await volume.write();
    const server = await startKedge(volume, { core: cores.server });
    try {
      await untilReady(server);
      const rounds: Round[] = [];
      for (let round = 0; round < options.rounds; round += 1) {
        signal.throwIfAborted();
        rounds.push(await measure(server, model, options));
      }
      out.write(`${model.name}:\n`);
      drawTable(out, rounds.map(told));
      const goodput = {
        what: `${model.name}: answered in time at ${options.times} times the peak, to the peak`,
        wanted: { atLeast: 0.9 },
        measured: rounds.map(({ peak, overload }) => overload.good / overload.seconds / peak),
      };
      const failed = never(
        `${model.name}: failed otherwise than by 503`,
        rounds.map(({ overload }) => overload.failed),
      );
      return { figures: [goodput, failed], rounds };
    } finally {
      await server.stop();
    }
  } finally {
    volume.remove();
  }
}

/**
 * What is still answered in time when more is asked for than can be answered. Each round measures the peak, a closed loop that is
 * never late, and then offers its multiple in an open loop, each request with a deadline. Good is what came with status 200 within the
 * deadline, counted from when the request was scheduled.
 */
export async function benchOverload(options: OverloadOptions, io: BenchIo): Promise<BenchResult> {
  const models = [costly(), gbdt(), mlp()].filter((model) => model !== undefined);
  const results: { figures: Figure[]; rounds: Round[] }[] = [];
  for (const model of models) results.push(await bench(model, options, io));
  return {
    figures: results.flatMap(({ figures }) => figures),
    details: { rounds: results.map(({ rounds }) => rounds) },
  };
}
