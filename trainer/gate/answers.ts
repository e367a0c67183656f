import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KedgeError, messageOf } from '../../contract/errors.ts';
import { MODEL_FILE } from '../../contract/layout.ts';
import type { ManifestFile, Sample } from '../../contract/manifest.ts';
import { signatureOf } from '../../contract/manifest-of.ts';
import { readHeadOfBytes } from '../../contract/onnx/head.ts';
import type { Signature } from '../../contract/signature.ts';
import type { Tensor } from '../../contract/tensor.ts';
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
 * A process that models answer in, one after the other: they may be anybody's, and one that ends the process ends nothing else. The next one has a
 * new process then.
 */
export class AnswerHost {
  readonly #context: RunContext;
  #host: HostProcess | undefined;
  #models = 0;

  constructor(context: RunContext) {
    this.#context = context;
    context.signal?.addEventListener('abort', () => void this.end(), { once: true });
  }

  /**
   * What a model answers to held-out rows.
   * @throws KedgeError where it does not take them, or gives not one number for each
   */
  async answersOf(
    request: LoadRequest,
    { rows, columns, features }: Pick<HeldOut, 'rows' | 'columns' | 'features'>,
    { input, output }: { input: string; output: string },
  ): Promise<Float64Array> {
    const { signal } = this.#context;
    signal?.throwIfAborted();
    const host = this.#running();
    this.#models += 1;
    const model = this.#models;
    try {
      await host.call({ call: 'load', model, request }, { what: `Loading ${request.name}`, timeoutMs: LIMITS.loadMs });
      const answers = new Float64Array(rows);
      for (let start = 0; start < rows; start += ROWS_AT_ONCE) {
        const count = Math.min(ROWS_AT_ONCE, rows - start);
        const data = features.slice(start * columns, (start + count) * columns);
        const inputs = new Map([[input, { datatype: 'FP32' as const, shape: [count, columns], data }]]);
        const call = { call: 'run' as const, model, inputs, outputs: [output] };
        const { outputs } = await host.call(call, { what: `Running ${request.name}`, timeoutMs: LIMITS.runMs });
        answers.set(numbersIn(outputs?.get(output), count, request.name, output), start);
      }
      await host.call({ call: 'release', model }, { what: `Releasing ${request.name}`, timeoutMs: LIMITS.runMs });
      return answers;
    } catch (error) {
      signal?.throwIfAborted();
      // What is left in it is not known.
      await this.end();
      throw error instanceof KedgeError ? error : new KedgeError('fit-failed', messageOf(error), { cause: error });
    }
  }

  async end(): Promise<void> {
    const host = this.#host;
    this.#host = undefined;
    await host?.end();
  }

  #running(): HostProcess {
    if (!this.#host || this.#host.state === 'dead') {
      const { clock, log } = this.#context;
      this.#host = new HostProcess({ memoryLimitBytes: LIMITS.memoryBytes, clock, log });
    }
    return this.#host;
  }
}

function numbersIn(tensor: Tensor | undefined, count: number, name: string, output: string): Float64Array {
  const given = tensor?.data ?? [];
  if (given.length === count) return Float64Array.from(given as ArrayLike<number | bigint | string>, Number);
  throw new KedgeError(
    'fit-failed',
    `${name} answers ${count} rows with ${given.length} numbers in '${output}', and not with one for each.`,
  );
}
