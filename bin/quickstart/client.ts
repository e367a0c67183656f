import { KedgeError } from '../../contract/errors.ts';
import { waitFor } from './programs.ts';
import type { Walk } from './walk.ts';

export interface Prediction {
  /** For each row. */
  trips: number[];
  version: string;
  digest: string;
}

export type Row = Readonly<Record<string, unknown>>;

/** Predictions by domain rows, as a client makes them. @throws KedgeError for any answer but 200 */
export async function predict({ url }: Pick<Walk, 'url'>, model: string, rows: readonly Row[]): Promise<Prediction> {
  const response = await fetch(`${url}/v1/models/${model}:predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ instances: rows }),
  });
  const body = (await response.json()) as { predictions: { trips: number }[]; error?: string };
  if (!response.ok) throw new KedgeError('internal', `the server answered ${response.status}: ${body.error}`);
  const header = (name: string): string => response.headers.get(name) ?? '';
  return {
    trips: body.predictions.map(({ trips }) => trips),
    version: header('kedge-model-version'),
    digest: header('kedge-model-digest'),
  };
}

interface VersionsAnswer {
  active: string | null;
  versions: { version: string; state: string; reasons?: { code: string; message: string }[] }[];
}

async function versions({ url }: Pick<Walk, 'url'>, model: string): Promise<VersionsAnswer> {
  const response = await fetch(`${url}/v2/models/${model}/versions`);
  if (!response.ok) throw new KedgeError('model-not-ready', `the server answered ${response.status}`);
  return (await response.json()) as VersionsAnswer;
}

const READY_MS = 60_000;

export function waitForActive(walk: Walk, model: string, version: number): Promise<true> {
  const ask = async (): Promise<true | undefined> =>
    (await versions(walk, model)).active === String(version) ? true : undefined;
  return waitFor(`version ${version} of ${model}`, ask, { ...walk, withinMs: READY_MS });
}

/** Waits until a version is refused. @returns why */
export function waitForRefusal(walk: Walk, model: string, version: number): Promise<{ code: string; message: string }> {
  const ask = async () =>
    (await versions(walk, model)).versions.find(
      (entry) => entry.version === String(version) && entry.state === 'refused',
    )?.reasons?.[0];
  return waitFor(`the refusal of version ${version}`, ask, { ...walk, withinMs: READY_MS });
}
