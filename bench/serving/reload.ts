import { setTimeout } from 'node:timers/promises';
import { TestVolume } from '../../server/testing/volume.ts';
import { addProbed, type KedgeServer, startKedge, untilAnswers, untilReady } from '../kedge-server.ts';
import { openLoad } from '../lean-load/loads.ts';
import type { OpenLoadResult, Sample } from '../lean-load/open-load.ts';
import { quantile } from '../statistics.ts';
import { type BenchIo, type BenchResult, drawTable, type Figure, never, rounded } from '../verdict.ts';
import { longestStallMs, watchedLoop } from './loop-delay.ts';
import { table } from './models.ts';

export interface ReloadOptions {
  rounds: number;
  /** Of steady load before each swap. */
  seconds: number;
  /** Requests a second. */
  rate: number;
  /** MiB of the models. */
  small: number;
  large: number;
}

const CONNECTIONS = 64;
const WARM_UP_MS = 1_000;
/** From the first answer of the new version to the end of the window, in milliseconds. */
const AFTER_MS = 500;
/** Within it a new version answers, or the round fails, in milliseconds. */
const SWAP_MS = 6_000;

interface Swap {
  steadyP99: number;
  swapP99: number;
  /** From the catalog's change to the first answer of the new version, in milliseconds. */
  tookMs: number;
  steadyStallMs: number;
  swapStallMs: number;
  /** Requests without an answer of status 200, and answers that do not agree with the version that they name. */
  failed: number;
  untrue: number;
  versions: string[];
}

/** The answer of {@link table} is its version. */
function isTrue(body: string): boolean {
  const { model_version, outputs } = JSON.parse(body) as { model_version: string; outputs: { data: number[] }[] };
  return outputs[0]!.data[0] === Number(model_version);
}

async function swap(
  server: KedgeServer,
  volume: TestVolume,
  { mebibytes, version, rate, seconds }: { mebibytes: number; version: number; rate: number; seconds: number },
): Promise<Swap> {
  const { name, body } = table(1, version);
  const model = { name: name.replace('-1', `-${mebibytes}`), body };
  const load: Promise<OpenLoadResult> = openLoad({
    port: server.port,
    path: `/v2/models/${model.name}/infer`,
    body,
    connections: CONNECTIONS,
    perSecond: rate,
    warmUpMs: WARM_UP_MS,
    durationMs: seconds * 1_000 + SWAP_MS,
    each: true,
  });
  await setTimeout(WARM_UP_MS);
  await longestStallMs(server.child);
  await setTimeout(seconds * 1_000);
  const steadyStallMs = await longestStallMs(server.child);
  const began = performance.timeOrigin + performance.now();
  await volume.write();
  await untilAnswers(server, model, version);
  const done = performance.timeOrigin + performance.now();
  await setTimeout(AFTER_MS);
  const swapStallMs = await longestStallMs(server.child);
  const { samples, answers, failed, refused, dropped } = await load;
  const p99 = (holds: (at: number) => boolean): number =>
    quantile(
      samples.filter(([at]: Sample) => holds(at)).map(([, ms]) => ms),
      0.99,
    );
  return {
    steadyP99: p99((at) => at < began),
    swapP99: p99((at) => at >= began && at < done + AFTER_MS),
    tookMs: done - began,
    steadyStallMs,
    swapStallMs,
    failed: failed + refused + dropped,
    untrue: answers.filter(({ body: answer }) => !isTrue(answer)).reduce((sum, { count }) => sum + count, 0),
    versions: answers.map(({ body: answer, count }) => `${JSON.parse(answer).model_version}: ${count}`),
  };
}

async function bench(
  mebibytes: number,
  { rounds, rate, seconds }: ReloadOptions,
  { out, signal }: BenchIo,
): Promise<{ figures: Figure[]; swaps: Swap[] }> {
  const volume = new TestVolume();
  try {
    const first = table(mebibytes, 1);
    const { probe } = await addProbed(volume, first);
    await volume.write();
    const server = await startKedge(volume, watchedLoop);
    try {
      await untilReady(server);
      const swaps: Swap[] = [];
      for (let version = 2; version < 2 + rounds; version += 1) {
        signal.throwIfAborted();
        volume.add(first.name, version, table(mebibytes, version).bytes, { probe });
        if (version > 2) volume.drop(first.name, version - 2);
        swaps.push(await swap(server, volume, { mebibytes, version, rate, seconds }));
      }
      out.write(`${mebibytes} MiB; load ${rounded(probe.loadMs)} ms, run ${rounded(probe.runMs)} ms in the probe\n`);
      drawTable(
        out,
        swaps.map(({ versions, ...numbers }) => ({
          ...Object.fromEntries(Object.entries(numbers).map(([key, value]) => [key, rounded(value)])),
          versions: versions.join(', '),
        })),
      );
      return { figures: figuresOf(mebibytes, swaps), swaps };
    } finally {
      await server.stop();
    }
  } finally {
    volume.remove();
  }
}

function figuresOf(mebibytes: number, swaps: readonly Swap[]): Figure[] {
  const figure = (what: string, atMost: number, of: (swap: Swap) => number): Figure => ({
    what: `${mebibytes} MiB: ${what}`,
    wanted: { atMost },
    measured: swaps.map(of),
  });
  const total = (what: string, of: (swap: Swap) => number): Figure => never(`${mebibytes} MiB: ${what}`, swaps.map(of));
  return [
    figure('p99 during the swap to steady', 1.2, ({ swapP99, steadyP99 }) => swapP99 / steadyP99),
    figure('longest stall of the loop, ms', 10, ({ swapStallMs }) => swapStallMs),
    total('requests without an answer', ({ failed }) => failed),
    total('answers that are not of the version they name', ({ untrue }) => untrue),
  ];
}

/**
 * What requests notice of a large model that is replaced under them: steady requests for it in an open loop, and in the middle the next version. The
 * 99th percentile from the catalog's change until half a second after the new version answers, to that of the time before; how long the loop of the server
 * stood still; and whether each request got an answer, of the version that it names.
 */
export async function benchReload(options: ReloadOptions, io: BenchIo): Promise<BenchResult> {
  const results = [await bench(options.small, options, io), await bench(options.large, options, io)];
  return {
    figures: results.flatMap(({ figures }) => figures),
    details: { swaps: results.map(({ swaps }) => swaps) },
  };
}
