import { setTimeout } from 'node:timers/promises';
import { TestVolume } from '../../server/testing/volume.ts';
import { addProbed, type KedgeServer, startKedge, untilAnswers, untilReady } from '../kedge-server.ts';
import { openLoad } from '../lean-load/loads.ts';
import type { OpenLoadResult } from '../lean-load/open-load.ts';
import { readOptions } from '../options.ts';
import { residentBytes } from '../processes.ts';
import { median } from '../statistics.ts';
import { conclude, never, rounded } from '../verdict.ts';
import { type BenchModel, table } from './models.ts';

/**
 * Whether the memory of the versions before is given back: two models of a few MiB, one on the serving loop and one in a host, replaced again
 * and again under light load. Resident memory of the server and its hosts at the end, to that after the first swaps.
 *
 *   node bench/serving/swaps.ts [--swaps 200] [--first 20] [--mebibytes 4] [--rate 50] [--json FILE]
 */
const { json, ...options } = readOptions({ swaps: 200, first: 20, mebibytes: 4, rate: 50 });
const CONNECTIONS = 16;
/** Memory is the median of so many looks, so far apart in milliseconds: it goes up and down with the collection of garbage. */
const LOOKS = 15;
const LOOK_EVERY_MS = 100;
/** The load goes on for so long at most, in milliseconds: it is ended with the swaps. */
const LOAD_SLICE_MS = 5_000;

/** Where they run follows from what is said of their operators. */
const PLACES = { inline: [], host: ['ai.onnx:Told'] } as const;
type Place = keyof typeof PLACES;
const places = Object.keys(PLACES) as Place[];

function modelOf(place: Place, version: number): BenchModel {
  return { ...table(options.mebibytes, version), name: place };
}

async function memory({ child }: KedgeServer): Promise<number> {
  const looks: number[] = [];
  for (let look = 0; look < LOOKS; look += 1) {
    looks.push(residentBytes(child.pid!) ?? Number.NaN);
    await setTimeout(LOOK_EVERY_MS);
  }
  return median(looks) / 2 ** 20;
}

/** Light load on both models until told to end. */
function underLoad({ port }: KedgeServer): { end(): Promise<OpenLoadResult[]> } {
  let going = true;
  const results = places.map(async (place) => {
    const { name, body } = modelOf(place, 1);
    const job = { port, path: `/v2/models/${name}/infer`, body, connections: CONNECTIONS, perSecond: options.rate };
    const slices: OpenLoadResult[] = [];
    while (going) slices.push(await openLoad({ ...job, warmUpMs: 0, durationMs: LOAD_SLICE_MS }));
    return slices;
  });
  return {
    end: async () => {
      going = false;
      return (await Promise.all(results)).flat();
    },
  };
}

const volume = new TestVolume();
try {
  const [firstModel] = places.map((place) => modelOf(place, 1));
  const { probe } = await addProbed(volume, firstModel!);
  const put = (version: number): void => {
    for (const place of places) {
      const { name, bytes } = modelOf(place, version);
      volume.add(name, version, bytes, { probe, unproved: [...PLACES[place]] });
      if (version > 2) volume.drop(name, version - 2);
    }
  };
  put(1);
  await volume.write();
  const server = await startKedge(volume);
  try {
    await untilReady(server);
    const load = underLoad(server);
    const taken: { swaps: number; mebibytes: number }[] = [];
    for (let swap = 1; swap <= options.swaps; swap += 1) {
      put(1 + swap);
      await volume.write();
      for (const place of places) await untilAnswers(server, modelOf(place, 1), 1 + swap);
      if (swap % options.first === 0) taken.push({ swaps: swap, mebibytes: await memory(server) });
      if (swap > 1) for (const place of places) volume.removeFiles({ path: `models/${place}/${swap - 1}` });
    }
    const loads = await load.end();
    console.table(taken.map(({ swaps, mebibytes }) => ({ swaps, 'resident MiB': rounded(mebibytes) })));
    const failed = loads.reduce((sum, one) => sum + one.failed + one.refused + one.dropped, 0);
    conclude(
      [
        {
          what: `resident memory after ${options.swaps} swaps, to that after ${options.first}`,
          wanted: { atMost: 1.1 },
          measured: [taken.at(-1)!.mebibytes / taken[0]!.mebibytes],
        },
        never('requests that failed', [failed]),
      ],
      json,
      { taken },
    );
  } finally {
    await server.stop();
  }
} finally {
  volume.remove();
}
