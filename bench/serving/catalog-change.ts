import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import type { Catalog } from '../../contract/catalog.ts';
import { stringifyJson } from '../../contract/json.ts';
import { linearModel } from '../../contract/onnx/testing/models.ts';
import type { Engine } from '../../engine/engine.ts';
import { systemClock } from '../../platform/clock.ts';
import { silentLog } from '../../platform/log.ts';
import { VersionManager } from '../../server/lifecycle/manager.ts';
import { CatalogParser } from '../../server/parse-catalog.ts';
import { TestVolume } from '../../server/testing/volume.ts';

/**
 * How long the serving loop stands still when a catalog of many models changes in one of them, and in all: node bench/serving/catalog-change.ts
 * [MODELS]. Times in milliseconds; each the median, and the largest, of several changes.
 */
const MODELS = Number(process.argv[2] ?? 1000);
const CHANGES = 15;

const volume = new TestVolume();
const clock = systemClock;
const engine: Engine = {
  kind: 'inline',
  load: async ({ signature }) => ({
    signature,
    run: () => Promise.resolve(new Map()),
    release: () => Promise.resolve(),
  }),
  close: () => Promise.resolve(),
};
const manager = new VersionManager({
  volume: volume.dir,
  engines: { inline: engine, host: engine },
  engineMode: 'auto',
  code: { server: '1.0.0', estimators: [] },
  keepReady: 2,
  loadRetries: 2,
  parallelLoads: 4,
  lazyWaitMs: 5_000,
  firstLoadsMs: 60_000,
  memoryBudgetBytes: undefined,
  residentBytes: () => 0,
  clock,
  random: Math.random,
  log: silentLog,
});
const parser = new CatalogParser();
const names = Array.from({ length: MODELS }, (_, index) => `model-${index}`);
for (const name of names) volume.add(name, 1, linearModel());

/** Takes a catalog in, as the watch of the volume does. @returns the longest turns of the loop: while it is read, and while it is acted on */
async function take(catalog: Catalog): Promise<{ read: number; act: number }> {
  const text = Buffer.from(stringifyJson(catalog));
  const reading = watchTurns();
  const parsed = await parser.parse(text);
  const read = await reading.end();
  const acting = watchTurns();
  await manager.update(parsed);
  await manager.idle();
  return { read, act: await acting.end() };
}

/** Counts the longest time between two turns of the loop. */
function watchTurns(): { end(): Promise<number> } {
  let longest = 0;
  let last = performance.now();
  let going = true;
  const turns = (async () => {
    while (going) {
      await setImmediate();
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    }
  })();
  return {
    end: async () => {
      await setImmediate();
      going = false;
      await turns;
      return longest;
    },
  };
}

function told(what: string, all: readonly number[]): void {
  const sorted = [...all].sort((a, b) => a - b);
  console.log(`${what}: median ${sorted[sorted.length >> 1]!.toFixed(1)} ms, largest ${sorted.at(-1)!.toFixed(1)} ms`);
}

async function measure(what: string, change: (round: number) => void): Promise<void> {
  const taken: { read: number; act: number }[] = [];
  for (let round = 0; round < CHANGES; round++) {
    change(round);
    taken.push(await take(volume.next()));
  }
  told(
    `${what}, reading it`,
    taken.map(({ read }) => read),
  );
  told(
    `${what}, acting on it`,
    taken.map(({ act }) => act),
  );
}

const bytes = stringifyJson(volume.next()).length;
console.log(`${MODELS} models, a catalog of ${(bytes / 2 ** 20).toFixed(1)} MiB`);
const first = await take(volume.next());
console.log(`the first catalog: reading it ${first.read.toFixed(1)} ms, acting on it ${first.act.toFixed(1)} ms`);
await measure('nothing changed', () => undefined);
await measure('one rollout changed', (round) => volume.rollout(names[0]!, { policy: { latest: 1 + (round % 2) } }));
await measure('every rollout changed', (round) => {
  for (const name of names) volume.rollout(name, { policy: { latest: 1 + (round % 2) } });
});
await manager.close();
volume.remove();
