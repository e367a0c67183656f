import { setTimeout } from 'node:timers/promises';
import { TestVolume } from '../../server/testing/volume.ts';
import { addProbed, startKedge, untilReady } from '../kedge-server.ts';
import type { LoadResult } from '../lean-load/closed-load.ts';
import { closedLoad } from '../lean-load/loads.ts';
import { readOptions } from '../options.ts';
import { cores } from '../processes.ts';
import { conclude, never, rounded } from '../verdict.ts';
import { type BenchModel, gbdt, heavy, mlp } from './models.ts';

/**
 * What a light model notices of a heavy one (about 100 ms a run) in the same server: its 99th percentile alone, and while the heavy one is asked for
 * more than it can answer. Rounds take turns; the ratio is the median over rounds.
 *
 *   node bench/serving/fair.ts [--rounds 5] [--seconds 4] [--json FILE]
 */
const { rounds, seconds, json } = readOptions({ rounds: 5, seconds: 4 });
const LIGHT_CONNECTIONS = 4;
const HEAVY_CONNECTIONS = 16;
/** The heavy load begins before the light one, and ends after it, in milliseconds. */
const EARLIER_MS = 700;
const LONGER_MS = 1_500;

function drive(port: number, { name, body }: BenchModel, connections: number, durationMs: number): Promise<LoadResult> {
  return closedLoad(
    { port, path: `/v2/models/${name}/infer`, body, connections, warmUpMs: 500, durationMs },
    cores.load,
  );
}

const light = gbdt() ?? mlp();
const slow = heavy();
const volume = new TestVolume();
try {
  for (const model of [light, slow]) {
    const { probe } = await addProbed(volume, model);
    process.stdout.write(`${model.name}: a run took ${probe.runMs.toFixed(2)} ms in the probe\n`);
  }
  await volume.write();
  const server = await startKedge(volume, { core: cores.server });
  try {
    await untilReady(server);
    const taken: { alone: LoadResult; beside: LoadResult; busy: LoadResult }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const alone = await drive(server.port, light, LIGHT_CONNECTIONS, seconds * 1_000);
      const heavyLoad = drive(server.port, slow, HEAVY_CONNECTIONS, seconds * 1_000 + LONGER_MS);
      await setTimeout(EARLIER_MS);
      const beside = await drive(server.port, light, LIGHT_CONNECTIONS, seconds * 1_000);
      taken.push({ alone, beside, busy: await heavyLoad });
    }
    console.table(
      taken.map(({ alone, beside, busy }) => ({
        'p99 alone ms': rounded(alone.p99),
        'p99 beside ms': rounded(beside.p99),
        'p50 alone ms': rounded(alone.p50),
        'p50 beside ms': rounded(beside.p50),
        'heavy runs/s': rounded((busy.requests - busy.failed) / busy.seconds),
        'heavy refused': busy.failed,
      })),
    );
    conclude(
      [
        {
          what: 'p99 of the light model beside the heavy one, to alone',
          wanted: { atMost: 3 },
          measured: taken.map(({ alone, beside }) => beside.p99 / alone.p99),
        },
        never(
          'requests for the light model that failed',
          taken.map(({ alone, beside }) => alone.failed + beside.failed),
        ),
      ],
      json,
      { rounds: taken },
    );
  } finally {
    await server.stop();
  }
} finally {
  volume.remove();
}
