import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KedgeError, messageOf } from '../../contract/errors.ts';
import { MODEL_FILE } from '../../contract/layout.ts';
import type { ManifestFile, Sample } from '../../contract/manifest.ts';
import { signatureOf } from '../../contract/manifest-of.ts';
import { readHeadOfBytes } from '../../contract/onnx/head.ts';
import type { Signature } from '../../contract/signature.ts';
import type { LoadRequest } from '../../engine/engine.ts';
import { HostProcess } from '../../engine/host-process.ts';
import { probe } from '../../engine/probe.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { HeldOut } from '../run/trainable.ts';

export interface RunContext {
  clock: Clock;
  log: Log;
  signal?: AbortSignal | undefined;
}

/** What a model may take while it is looked at. Whoever serves it has limits of its own. */
const LIMITS = { loadMs: 60_000, runMs: 60_000, memoryBytes: 2 * 2 ** 30 };
/** Rows of one run: the tensors of a whole held-out part may be large. */
const ROWS_AT_ONCE = 4096;

/** A model in a folder, as an engine loads it. @throws KedgeError `source-invalid` for what is no model */
export async function requestIn(folder: string, name: string, declared?: Signature): Promise<LoadRequest> {
  const bytes = await readFile(join(folder, MODEL_FILE));
  const read = readHeadOfBytes(bytes);
  if (!read.ok) throw new KedgeError('source-invalid', read.refusals.map(({ message }) => message).join(' '));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const files: ManifestFile[] = [{ path: MODEL_FILE, bytes: bytes.length, sha256 }];
  return { name, dir: folder, files, signature: declared ?? signatureOf(read.head) };
}

/**
 * Loads and runs it once as a loader will, samples included.
 * @returns the median time of a run in milliseconds, or why a loader would refuse it
 */
export async function tryOut(
  request: LoadRequest,
  samples: readonly Sample[],
  { clock, log, signal }: RunContext,
): Promise<{ runMs: number } | { refused: string }> {
  const result = await probe(request, { samples, bare: false, limits: LIMITS, clock, log, signal });
  if (result.ok) return { runMs: result.report.runMs };
  return { refused: result.refusals.map(({ code, message }) => `${code}: ${message}`).join(' ') };
}

/**
 * What a model answers to held-out rows, in a process of its own: it may be anybody's.
 * @throws KedgeError where it does not take them, or gives not one number for each
 */
export async function answersOf(
  request: LoadRequest,
  { rows, columns, features }: Pick<HeldOut, 'rows' | 'columns' | 'features'>,
  { input, output }: { input: string; output: string },
  { clock, log, signal }: RunContext,
): Promise<Float64Array> {
  signal?.throwIfAborted();
  const host = new HostProcess({ memoryLimitBytes: LIMITS.memoryBytes, clock, log });
  const stop = (): void => void host.end();
  signal?.addEventListener('abort', stop);
  try {
    await host.call({ call: 'load', model: 1, request }, { what: `Loading ${request.name}`, timeoutMs: LIMITS.loadMs });
    const answers = new Float64Array(rows);
    for (let start = 0; start < rows; start += ROWS_AT_ONCE) {
      const count = Math.min(ROWS_AT_ONCE, rows - start);
      const data = features.slice(start * columns, (start + count) * columns);
      const inputs = new Map([[input, { datatype: 'FP32' as const, shape: [count, columns], data }]]);
      const call = { call: 'run' as const, model: 1, inputs, outputs: [output] };
      const { outputs } = await host.call(call, { what: `Running ${request.name}`, timeoutMs: LIMITS.runMs });
      const given = outputs?.get(output)?.data ?? [];
      if (given.length !== count) {
        throw new KedgeError(
          'fit-failed',
          `${request.name} answers ${count} rows with ${given.length} numbers in '${output}', and not with one for each.`,
        );
      }
      for (let at = 0; at < count; at += 1) answers[start + at] = Number(given[at]);
    }
    return answers;
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof KedgeError ? error : new KedgeError('fit-failed', messageOf(error), { cause: error });
  } finally {
    signal?.removeEventListener('abort', stop);
    await host.end();
  }
}
