import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore } from '../../registry/open-store.ts';
import { predict, type Row, waitForActive, waitForRefusal } from './client.ts';
import { waitFor } from './programs.ts';
import type { Walk } from './walk.ts';

/** Brings a second version while a client sends without pause. @returns how many answers each version gave */
export async function rollForward(
  walk: Walk,
  model: string,
  row: Row,
  bring: () => Promise<void>,
): Promise<Map<string, number>> {
  const answers = new Map<string, number>();
  let sending = true;
  const client = (async () => {
    while (sending) {
      const { version } = await predict(walk, model, [row]);
      answers.set(version, (answers.get(version) ?? 0) + 1);
    }
  })();
  // Whatever goes wrong with it is told below, and not before somebody listens.
  client.catch(() => undefined);
  try {
    await bring();
    await waitForActive(walk, model, 2);
    const ask = async (): Promise<true | undefined> => (answers.size > 1 ? true : undefined);
    await waitFor('an answer of the new version', ask, { ...walk, withinMs: 10_000 });
  } finally {
    sending = false;
    await client;
  }
  return answers;
}

/** Drops a file that broke off in its upload, and waits until it is refused. */
export async function dropBroken(
  walk: Walk,
  model: string,
  version: number,
): Promise<{ code: string; message: string }> {
  const whole = await readFile(join(walk.bucketDir, model, '1', 'model.onnx'));
  const store = openStore(walk.bucket, { clock: walk.clock });
  try {
    await store.put(`${model}/${version}/model.onnx`, whole.subarray(0, Math.floor(whole.length * 0.6)), {});
  } finally {
    store.close();
  }
  return waitForRefusal(walk, model, version);
}
