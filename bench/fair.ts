import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { probe } from '../engine/probe.ts';
import { silentLog } from '../platform/log.ts';
import { TestVolume } from '../server/testing/volume.ts';
import { sharedModels } from '../tests/shared.ts';
import type { LoadJob, LoadResult } from './load.ts';
import { type BenchModel, gbdt, heavy, mlp } from './models.ts';
import { canPin, linesOf, startNode, stop } from './processes.ts';

/**
 * What a light model notices of a heavy one (about 100 ms a run) in the same server: its 99th percentile alone, and while the heavy one is asked for
 * more than it can answer. Rounds take turns; the ratio is the median over rounds.
 *
 *   node bench/fair.ts [--rounds 5] [--seconds 4] [--json FILE]
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    json: { type: 'string' },
  },
});
const pinned = canPin();
const core = (number: number): number | undefined => (pinned ? number : undefined);
const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const LIGHT_CONNECTIONS = 4;
const HEAVY_CONNECTIONS = 16;

async function drive(model: BenchModel, port: number, connections: number, durationMs: number): Promise<LoadResult> {
  const path = `/v2/models/${model.name}/infer`;
  const job: LoadJob = { port, path, body: model.body, connections, warmUpMs: 500, durationMs };
  const driver = startNode([file('load.ts'), JSON.stringify(job)], { core: core(1) });
  const lines = linesOf(driver);
  for (;;) {
    const { value, done } = await lines.next();
    if (done) throw new Error('the load ended without a result');
    if ((value as string).startsWith('{')) return JSON.parse(value as string) as LoadResult;
  }
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

const light = gbdt(sharedModels) ?? mlp();
const slow = heavy();
const volume = new TestVolume();
try {
  for (const model of [light, slow]) {
    const { manifest, path } = volume.add(model.name, 1, model.bytes);
    const request = {
      name: model.name,
      dir: join(volume.dir, path),
      files: manifest.files,
      signature: manifest.signature,
    };
    const limits = { loadMs: 60_000, runMs: 20_000, memoryBytes: 2 ** 31 };
    const result = await probe(request, { bare: false, limits, log: silentLog });
    if (!result.ok) throw new Error(result.refusals.map(({ message }) => message).join(' '));
    volume.add(model.name, 1, model.bytes, { probe: result.report });
    process.stdout.write(`${model.name}: a run took ${result.report.runMs.toFixed(2)} ms in the probe\n`);
  }
  await volume.write();
  const env = { KEDGE_VOLUME: volume.dir, KEDGE_HOST: '127.0.0.1', KEDGE_PORT: '0', KEDGE_ADMIN_PORT: '0' };
  const server = startNode([file('../bin/kedge.ts'), 'serve'], { core: core(0), env });
  try {
    const lines = linesOf(server, 'stderr');
    let port: number | undefined;
    while (port === undefined) port = (JSON.parse((await lines.next()).value as string) as { port?: number }).port;
    server.stdout!.resume();
    server.stderr!.resume();
    for (const { name } of [light, slow]) {
      const url = `http://127.0.0.1:${port}/v2/models/${name}/ready`;
      while (!(await fetch(url)).ok) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const durationMs = Number(values.seconds) * 1000;
    const rounds: { alone: LoadResult; beside: LoadResult; heavy: LoadResult }[] = [];
    for (let round = 0; round < Number(values.rounds); round += 1) {
      const alone = await drive(light, port, LIGHT_CONNECTIONS, durationMs);
      const heavyLoad = drive(slow, port, HEAVY_CONNECTIONS, durationMs + 1_500);
      await new Promise((resolve) => setTimeout(resolve, 700));
      const beside = await drive(light, port, LIGHT_CONNECTIONS, durationMs);
      rounds.push({ alone, beside, heavy: await heavyLoad });
    }
    console.table(
      rounds.map(({ alone, beside, heavy: busy }) => ({
        'p99 alone ms': Number(alone.p99.toFixed(2)),
        'p99 beside ms': Number(beside.p99.toFixed(2)),
        ratio: Number((beside.p99 / alone.p99).toFixed(2)),
        'p50 alone ms': Number(alone.p50.toFixed(2)),
        'p50 beside ms': Number(beside.p50.toFixed(2)),
        'heavy runs/s': Number(((busy.requests - busy.failed) / busy.seconds).toFixed(1)),
        'heavy refused': busy.failed,
        failed: alone.failed + beside.failed,
      })),
    );
    const ratio = median(rounds.map(({ alone, beside }) => beside.p99 / alone.p99));
    process.stdout.write(`p99 beside the heavy model to p99 alone: ${ratio.toFixed(2)} (median)\n`);
    if (values.json) writeFileSync(values.json, `${JSON.stringify({ pinned, ratio, rounds }, null, 2)}\n`);
  } finally {
    await stop(server);
  }
} finally {
  volume.remove();
}
