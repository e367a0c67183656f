import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KedgeError } from '../../contract/errors.ts';
import { stringifyJson } from '../../contract/json.ts';
import { firstModel, firstModelDetails } from '../../examples/scooter-demand/first-model.ts';
import type { Clock } from '../../platform/clock.ts';
import { openStore } from '../../registry/open-store.ts';
import { publish } from '../../registry/publish.ts';
import type { ChildProgram } from './programs.ts';
import { waitFor } from './programs.ts';

export const MODEL = 'scooter-demand';

/** One hour of rain: the row that every prediction here is made for. */
export const ROW = {
  time: '2026-11-23T18:00',
  temperature: 7.5,
  precipitation: 0.4,
  wind: 3,
  trips_day_ago: 40,
  trips_2_days_ago: 43,
  trips_week_ago: 36,
  trips_2_weeks_ago: 38,
  trips_mean_week: 12.5,
  trips_mean_4_weeks: 37,
};

export interface Walk {
  dir: string;
  bucket: string;
  /** Of the server. */
  url: string;
  programs: readonly ChildProgram[];
  clock: Clock;
  signal: AbortSignal;
}

const READY_MS = 60_000;

/** Writes a model and what belongs into its manifest as the files that a trainer would leave. */
export async function writeModel(dir: string, scale: number): Promise<{ model: string; details: string }> {
  await mkdir(dir, { recursive: true });
  const [model, details] = [join(dir, 'model.onnx'), join(dir, 'details.json')];
  await writeFile(model, firstModel({ scale }));
  await writeFile(details, `${stringifyJson(firstModelDetails(ROW, { scale }), 2)}\n`);
  return { model, details };
}

export async function publishModel({ bucket, clock }: Walk, model: string, scale: number): Promise<number> {
  const store = openStore(bucket, { clock });
  try {
    const published = await publish({
      store,
      source: model,
      model: MODEL,
      details: firstModelDetails(ROW, { scale }),
      publisher: `quickstart/${process.pid}/${scale}`,
      clock,
    });
    return published.version;
  } finally {
    store.close();
  }
}

export interface Prediction {
  trips: number;
  version: string;
  digest: string;
}

/** One prediction by domain row, as a client makes it. @throws KedgeError for any answer but 200 */
export async function predict({ url }: Pick<Walk, 'url'>): Promise<Prediction> {
  const response = await fetch(`${url}/v1/models/${MODEL}:predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ instances: [ROW] }),
  });
  const body = (await response.json()) as { predictions: { trips: number }[]; error?: string };
  if (!response.ok) throw new KedgeError('internal', `the server answered ${response.status}: ${body.error}`);
  const header = (name: string): string => response.headers.get(name) ?? '';
  return {
    trips: body.predictions[0]!.trips,
    version: header('kedge-model-version'),
    digest: header('kedge-model-digest'),
  };
}

interface VersionsAnswer {
  active: string | null;
  versions: { version: string; state: string; reasons?: { code: string; message: string }[] }[];
}

async function versions({ url }: Pick<Walk, 'url'>): Promise<VersionsAnswer> {
  const response = await fetch(`${url}/v2/models/${MODEL}/versions`);
  if (!response.ok) throw new KedgeError('model-not-ready', `the server answered ${response.status}`);
  return (await response.json()) as VersionsAnswer;
}

export function waitForActive(walk: Walk, version: number): Promise<true> {
  const ask = async (): Promise<true | undefined> =>
    (await versions(walk)).active === String(version) ? true : undefined;
  return waitFor(`version ${version} of ${MODEL}`, ask, { ...walk, withinMs: READY_MS });
}

/** Publishes a second version while a client sends without pause. @returns how many answers each version gave */
export async function rollForward(walk: Walk, model: string, scale: number): Promise<Map<string, number>> {
  const answers = new Map<string, number>();
  let sending = true;
  const client = (async () => {
    while (sending) {
      const { version } = await predict(walk);
      answers.set(version, (answers.get(version) ?? 0) + 1);
    }
  })();
  try {
    await waitForActive(walk, await publishModel(walk, model, scale));
    await waitFor('an answer of the new version', async () => (answers.size > 1 ? true : undefined), {
      ...walk,
      withinMs: READY_MS,
    });
  } finally {
    sending = false;
    await client;
  }
  return answers;
}

/** Drops a file that broke off in its upload, and waits until it is refused. */
export async function dropBroken(walk: Walk, version: number): Promise<{ code: string; message: string }> {
  const whole = firstModel();
  const store = openStore(walk.bucket, { clock: walk.clock });
  await store.put(`${MODEL}/${version}/model.onnx`, whole.subarray(0, Math.floor(whole.length * 0.6)), {});
  store.close();
  const ask = async () =>
    (await versions(walk)).versions.find((entry) => entry.version === String(version) && entry.state === 'refused')
      ?.reasons?.[0];
  return waitFor(`the refusal of version ${version}`, ask, { ...walk, withinMs: READY_MS });
}
