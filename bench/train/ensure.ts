import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ObjectStore } from '../../registry/object-store.ts';
import { openStore } from '../../registry/open-store.ts';
import { publish } from '../../registry/publish.ts';
import type { Run } from '../../trainer/plan/task.ts';
import { FITTED_MODEL } from '../../trainer/run/fit-entry.ts';
import { fetchStaged, readStaged, writeRoster } from '../../trainer/run/staging.ts';
import { run as runProgram } from './programs.ts';

export interface Ensured {
  seconds: number[];
  /** Connections that were made to database or queue: without one no row is read. */
  connections: number;
}

/**
 * `kedge train --ensure` over a bucket that has a version of every model for this code: the model that was handed in first, under as many names as
 * are asked for.
 */
export async function ensureNothing(
  kedge: string,
  handedIn: ObjectStore,
  run: Run,
  { models, rounds }: { models: number; rounds: number },
): Promise<Ensured> {
  const folder = await mkdtemp(join(tmpdir(), 'kedge-bench-ensure-'));
  const store = openStore(pathToFileURL(folder).href);
  const counter = await countConnections();
  try {
    await publishAs(
      store,
      handedIn,
      run,
      Array.from({ length: models }, (_, at) => `scooter-demand-${at + 1}`),
    );
    const ask = (mode: string) =>
      runProgram([kedge, 'train', mode], { KEDGE_BUCKET: store.url, ...counter.env }, false);
    // So that it is known that a look at the history would show.
    const asked = await ask('--all');
    if (asked.code === 0 || counter.count() === 0) throw new Error('kedge train --all did not ask for the history');
    counter.reset();
    const seconds: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const { code, out, ms } = await ask('--ensure');
      if (code !== 0 || !/nothing to train/.test(out))
        throw new Error(`kedge train --ensure ended with ${code}: ${out}`);
      seconds.push(ms / 1000);
    }
    return { seconds, connections: counter.count() };
  } finally {
    await counter.close();
    store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function publishAs(store: ObjectStore, handedIn: ObjectStore, run: Run, names: readonly string[]): Promise<void> {
  const [task] = run.tasks;
  const staged = (await readStaged(handedIn, run.id, task!.model))!;
  const folder = await mkdtemp(join(tmpdir(), 'kedge-bench-staged-'));
  try {
    await fetchStaged(handedIn, run.id, staged, folder);
    const details = { ...staged.details, code: { ...task!.code } };
    for (const model of names) await publish({ store, source: join(folder, FITTED_MODEL), model, details });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await writeRoster(store, task!.code.estimator, names);
}

/** Stands where database and queue should be, counts who comes, and sends them away. */
async function countConnections() {
  let count = 0;
  const server: Server = createServer((socket) => {
    count += 1;
    socket.on('error', () => undefined);
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    env: { DATABASE_URL: `postgres://nobody@127.0.0.1:${port}/none`, REDIS_URL: `redis://127.0.0.1:${port}` },
    count: () => count,
    reset: () => {
      count = 0;
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
