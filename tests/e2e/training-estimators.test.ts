import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { describeBuckets } from './buckets.ts';
import type { kioskEstimator, kioskTrainable } from './kiosk.ts';
import type { Env } from './programs.ts';
import { postJson, type Reply, type Stage, versionStatus, waitForActive } from './stage.ts';

/** The second may read models of the first by its version alone: it is the digest of the features that keeps them apart. */
const BEFORE: Parameters<typeof kioskEstimator> = ['1.0.0', { knowsRain: false }];
const AFTER: Parameters<typeof kioskEstimator> = ['1.1.0', { knowsRain: true }];
const KIOSK = new URL('./kiosk.ts', import.meta.url).href;
type Names = [typeof kioskEstimator.name, typeof kioskTrainable.name];

vi.setConfig({ testTimeout: 120_000 });

/** Two releases of the code of a model at work on one bucket, as during a rolling deployment. Each test goes on from the one before. */
describeBuckets('an estimator whose features change', (bucket) => {
  let stage: Stage;
  let before: Env;
  let after: Env;
  beforeAll(async () => {
    stage = await bucket.open();
    before = await release('before', BEFORE);
    after = await release('after', AFTER);
  });
  afterAll(async () => {
    await stage?.close();
    await bucket.close();
  });

  /** A folder with the code of a release, and the settings that name it. Its pods have a volume of their own. */
  const release = async (name: string, words: Parameters<typeof kioskEstimator>): Promise<Env> => {
    const folder = join(stage.dir, name);
    const [estimators, volume, trainer] = ['estimators', 'volume', 'training.mjs'].map((one) => join(folder, one));
    await mkdir(estimators!, { recursive: true });
    await mkdir(volume!);
    const names: Names = ['kioskEstimator', 'kioskTrainable'];
    const made = `${names[0]}(${words.map((word) => JSON.stringify(word)).join(', ')})`;
    const head = `import { ${names.join(', ')} } from ${JSON.stringify(KIOSK)};\nexport default`;
    await writeFile(join(estimators!, 'kiosk.mjs'), `${head} ${made};\n`);
    await writeFile(trainer!, `${head} ${names[1]}(${made});\n`);
    return {
      KEDGE_ESTIMATORS: estimators!,
      KEDGE_TRAINER: trainer!,
      KEDGE_VOLUME: volume!,
      KEDGE_GATE_RUN_SECONDS: '5',
    };
  };
  const train = async (code: Env, ...words: string[]): Promise<string> => {
    const { code: exit, out, err } = await stage.kedge(['train', ...words], code);
    expect(exit, err).toBe(0);
    return out;
  };
  const servers: Record<'before' | 'after', string> = { before: '', after: '' };
  const ask = async (url: string): Promise<Reply & { sales: number; version: string | null }> => {
    const reply = await postJson(`${url}/v1/models/kiosk:predict`, { instances: [{ temperature: 20, rain: true }] });
    const sales = reply.body.predictions?.[0].sales;
    return { ...reply, sales, version: reply.headers.get('kedge-model-version') };
  };

  const widthOf = async (url: string): Promise<number> => {
    const { inputs } = (await (await fetch(`${url}/v2/models/kiosk`)).json()) as { inputs: { shape: number[] }[] };
    return inputs[0]!.shape[1]!;
  };

  it('kedge train --ensure trains for the code that runs, and once', async () => {
    expect(await train(before, '--ensure')).toMatch(/1 published/);
    expect(await train(before, '--ensure')).toBe('There is nothing to train.\n');
    await stage.startLoader(before);
    servers.before = (await stage.startServer(before)).url;
    await waitForActive(servers.before, 'kiosk', 1);
  });

  it('and trains anew for the features of the next release, while servers of the last one answer on', async () => {
    const first = await ask(servers.before);
    expect(first).toMatchObject({ status: 200, version: '1' });
    const replies: (typeof first)[] = [];
    let stop = false;
    const client = (async () => {
      while (!stop) replies.push(await ask(servers.before));
    })();
    try {
      expect(await train(after, '--ensure')).toMatch(/incompatible/);
      expect(await train(after, '--ensure')).toBe('There is nothing to train.\n');
      await stage.startLoader(after);
      servers.after = (await stage.startServer(after)).url;
      await waitForActive(servers.after, 'kiosk', 2);
    } finally {
      stop = true;
      await client;
    }
    expect(
      replies.filter(({ status, sales, version }) => `${status} ${sales} ${version}` !== `200 ${first.sales} 1`),
    ).toEqual([]);
    // 3 + 2 * 20 - 20 with the rain; without it, the mean of both kinds of days.
    const next = await ask(servers.after);
    expect(next.version).toBe('2');
    expect(Math.abs(next.sales - 23)).toBeLessThan(1);
    expect(first.sales).toBeGreaterThan(30);
    // Another number of features is another input, which breaks nobody who sends rows.
    expect([await widthOf(servers.before), await widthOf(servers.after)]).toEqual([1, 2]);
  });

  it('each release keeps to its own, a pod that starts late too', async () => {
    expect(await train(before, '--ensure')).toBe('There is nothing to train.\n');
    const late = (await stage.startServer(before)).url;
    await waitForActive(late, 'kiosk', 1);
    const states = [await versionStatus(late, 'kiosk', 2), await versionStatus(servers.after, 'kiosk', 1)];
    expect(states).toMatchObject([{ state: 'refused' }, { state: 'refused' }]);
    expect((await ask(late)).version).toBe('1');
    expect((await ask(servers.after)).version).toBe('2');
  });
});
