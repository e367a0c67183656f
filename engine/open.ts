import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MODEL_FILE } from '../contract/layout.ts';
import { takeDefaults } from './defaults.ts';
import type { LoadRequest } from './engine.ts';
import { openSession, type Runner, type SessionSource } from './session.ts';

/** A model of more bytes is not read into memory for the sake of its defaults; they stay fixed. */
const MAX_REWRITTEN_BYTES = 256 * 2 ** 20;

/**
 * Loads a version, whose files were verified, into the runtime of this process.
 * @throws KedgeError `engine-failed`
 */
export async function openModel(request: LoadRequest): Promise<Runner> {
  const { name, dir, signature } = request;
  const model = join(dir, MODEL_FILE);
  const optional = signature.inputs.filter((spec) => spec.optional).map((spec) => spec.name);
  const plain: SessionSource = { name, dir, model, signature, fixedInputs: new Set(optional) };
  if (optional.length === 0) return openSession(plain);
  // A graph that the runtime takes only with its defaults in place is served with them fixed.
  return (await openWithDefaults(request, plain).catch(() => undefined)) ?? openSession(plain);
}

async function openWithDefaults({ files }: LoadRequest, plain: SessionSource): Promise<Runner | undefined> {
  const bytes = files.find((file) => file.path === MODEL_FILE)?.bytes ?? 0;
  if (bytes > MAX_REWRITTEN_BYTES) return undefined;
  const { model, values, fixed } = takeDefaults(await readFile(plain.model as string), plain.signature);
  if (values.size === 0) return undefined;
  return openSession({ ...plain, model, defaults: values, fixedInputs: fixed });
}
