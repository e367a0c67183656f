import { setTimeout } from 'node:timers/promises';
import { TestVolume } from '../../server/testing/volume.ts';
import { addProbed, type KedgeServer, startKedge, untilAnswers, untilReady } from '../kedge-server.ts';
import { openLoad } from '../lean-load/loads.ts';
import type { OpenLoadResult } from '../lean-load/open-load.ts';
import { readOptions } from '../options.ts';
import { median } from '../statistics.ts';
import { conclude, type Figure, never, rounded } from '../verdict.ts';
import { longestStallMs, watchedLoop } from './loop-delay.ts';
import { type BenchModel, small } from './models.ts';

/**
 * What a thousand small models cost the one that is asked for: time from spawn until all answer; and the 99th percentile of one of them beside the
 * others, quiet and while the catalog changes once a second in one model, to that of a server with this one alone. The servers take turns.
 *
 *   node bench/serving/many.ts [--models 1000] [--starts 3] [--rounds 5] [--seconds 3] [--rate 300] [--json FILE]
 */
const { json, ...options } = readOptions({ models: 1_000, starts: 3, rounds: 5, seconds: 3, rate: 300 });
const CONNECTIONS = 64;
const WARM_UP_MS = 500;
const CHANGE_EVERY_MS = 1_000;
/** What counts as noise between two measurements of the same. */
const NOISE = 1.25;

const hot = small('hot');

/** A volume with the model that is asked for, and others beside it. */
async function volumeOf(models: number): Promise<TestVolume> {
  const volume = new TestVolume();
  const { probe } = await addProbed(volume, hot);
  for (let index = 1; index < models; index += 1) volume.add(`other-${index}`, 1, hot.bytes, { probe });
  await volume.write();
  return volume;
}

async function timeToStart(volume: TestVolume): Promise<{ server: KedgeServer; seconds: number }> {
  const began = performance.now();
  const server = await startKedge(volume, watchedLoop);
  await untilReady(server);
  return { server, seconds: (performance.now() - began) / 1_000 };
}

async function readyModels({ port }: KedgeServer): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/v2/repository/index`, {
    method: 'POST',
    body: '{"ready":true}',
    headers: { 'content-type': 'application/json' },
  });
  return ((await response.json()) as unknown[]).length;
}

interface Measured {
  load: OpenLoadResult;
  stallMs: number;
}

/** @param meanwhile what happens to the server under the load */
async function measure(
  { port, child }: KedgeServer,
  { name, body }: BenchModel,
  meanwhile: (untilMs: number) => Promise<void> = async () => undefined,
): Promise<Measured> {
  const load = openLoad({
    ...{ port, path: `/v2/models/${name}/infer`, body, connections: CONNECTIONS, perSecond: options.rate },
    ...{ warmUpMs: WARM_UP_MS, durationMs: options.seconds * 1_000 },
  });
  await setTimeout(WARM_UP_MS);
  await longestStallMs(child);
  await meanwhile(performance.now() + options.seconds * 1_000);
  const result = await load;
  return { load: result, stallMs: await longestStallMs(child) };
}

/** Once a second another version of another model, as if someone published. */
function changes(volume: TestVolume): (untilMs: number) => Promise<void> {
  return async (untilMs) => {
    while (performance.now() < untilMs) {
      const name = `other-${1 + (changed % (options.models - 1))}`;
      changed += 1;
      volume.add(name, 1 + changed, hot.bytes);
      volume.drop(name, changed);
      await volume.write();
      await setTimeout(CHANGE_EVERY_MS);
    }
  };
}
let changed = 0;

interface Round {
  alone: Measured;
  among: Measured;
  changing: Measured;
}

async function compare(one: KedgeServer, many: KedgeServer, volume: TestVolume): Promise<Round[]> {
  const rounds: Round[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    rounds.push({
      alone: await measure(one, hot),
      among: await measure(many, hot),
      changing: await measure(many, hot, changes(volume)),
    });
  }
  return rounds;
}

function told({ alone, among, changing }: Round): object {
  return {
    'p99 alone ms': rounded(alone.load.p99),
    'p99 among many ms': rounded(among.load.p99),
    'p99 in changes ms': rounded(changing.load.p99),
    'stall alone ms': rounded(alone.stallMs),
    'stall among many ms': rounded(among.stallMs),
    'stall in changes ms': rounded(changing.stallMs),
  };
}

const [oneVolume, manyVolume] = [await volumeOf(1), await volumeOf(options.models)];
try {
  const starts: number[] = [];
  for (let start = 1; start < options.starts; start += 1) {
    const { server, seconds } = await timeToStart(manyVolume);
    starts.push(seconds);
    await server.stop();
  }
  const { server: many, seconds } = await timeToStart(manyVolume);
  starts.push(seconds);
  const one = await startKedge(oneVolume, watchedLoop);
  try {
    await untilAnswers(one, hot, 1);
    const ready = await readyModels(many);
    const rounds = await compare(one, many, manyVolume);
    console.table(rounds.map(told));
    process.stdout.write(`${ready} models ready; started in ${rounded(median(starts))} s\n`);
    const failed = ({ load }: Measured): number => load.refused + load.failed + load.dropped;
    const figures: Figure[] = [
      { what: 'seconds until all are ready', wanted: { atMost: 10 }, measured: starts },
      { what: 'models that are ready then', wanted: { atLeast: options.models }, measured: [ready] },
      {
        what: 'p99 of one model among many, to alone',
        wanted: { atMost: NOISE },
        measured: rounds.map(({ alone, among }) => among.load.p99 / alone.load.p99),
      },
      {
        what: 'p99 of one model while another changes each second, to alone',
        wanted: { atMost: NOISE },
        measured: rounds.map(({ alone, changing }) => changing.load.p99 / alone.load.p99),
      },
      never(
        'requests that failed',
        rounds.map(({ alone, among, changing }) => failed(alone) + failed(among) + failed(changing)),
      ),
    ];
    conclude(figures, json, { rounds });
  } finally {
    await Promise.all([one.stop(), many.stop()]);
  }
} finally {
  oneVolume.remove();
  manyVolume.remove();
}
