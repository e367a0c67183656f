import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasCode, KedgeError, messageOf } from '../../contract/errors.ts';
import { fileKey, MODEL_FILE } from '../../contract/layout.ts';
import type { ObjectStore } from '../../registry/object-store.ts';
import type { Champion } from '../plan/champion.ts';
import { fetchBytes, sha256 } from '../run/staging.ts';
import type { HeldOut } from '../run/trainable.ts';
import { type AnswerHost, requestIn } from './answers.ts';

/**
 * What the version that serves answers to held-out rows; a sentence where it cannot be compared: it has other inputs or files beside
 * the model, or does not run.
 * @throws KedgeError `bucket-unreachable`
 */
export async function championAnswers(
  store: ObjectStore,
  model: string,
  { version, manifest }: Champion,
  heldOut: HeldOut,
  names: { input: string; output: string },
  { host, signal }: { host: AnswerHost; signal: AbortSignal | undefined },
): Promise<{ answers: Float64Array } | { unlike: string }> {
  const [file, ...others] = manifest.files;
  if (file?.path !== MODEL_FILE || others.length > 0) {
    return { unlike: `Version ${version} has files beside ${MODEL_FILE}.` };
  }
  const folder = await mkdtemp(join(tmpdir(), 'kedge-champion-'));
  try {
    const bytes = await fetchBytes(store, fileKey(model, version, file.path), signal);
    if (sha256(bytes) !== file.sha256)
      throw new KedgeError('object-corrupt', 'It has other bytes than its manifest says.');
    await writeFile(join(folder, MODEL_FILE), bytes);
    const request = await requestIn(folder, `${model}/${version}`, manifest.signature);
    return { answers: await host.answersOf(request, heldOut, names) };
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof KedgeError) || hasCode(error, 'bucket-unreachable')) throw error;
    return { unlike: `Version ${version} cannot be held against it: ${messageOf(error)}` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
