import type { ProbeReport } from '../contract/catalog.ts';
import { messageOf } from '../contract/errors.ts';
import type { Sample } from '../contract/manifest.ts';
import type { Refusal } from '../contract/refusal.ts';
import type { Tensors } from '../contract/tensor.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { checkInputs } from './check.ts';
import type { GraphShapes } from './empty.ts';
import type { LoadRequest } from './engine.ts';
import { HostProcess } from './host-process.ts';
import { GuardedModel } from './model.ts';
import { endedProcess, loadRefusal, madeUpRefusal, runRefusal, sampleRefusal } from './probe-refusals.ts';
import { hostileTries, mildTries, type Observation, rowOutputsOf, type Try } from './probe-tries.ts';
import { compareOutputs, tensorsOfSample } from './samples.ts';
import type { Runner } from './session.ts';

export interface ProbeLimits {
  /** Limit of the load, in milliseconds. The start of the process comes before it. */
  loadMs: number;
  /** Limit of each run, in milliseconds. */
  runMs: number;
  /** Limit of the resident memory of the process, in bytes; the program itself takes about 100 MB of it. */
  memoryBytes: number;
}

export interface ProbeOptions {
  /** Exactly these are run if there are any; else made-up inputs. */
  samples?: readonly Sample[] | undefined;
  /** Nobody vouches for the version, so made-up inputs include hostile values. */
  bare: boolean;
  limits: ProbeLimits;
  signal?: AbortSignal | undefined;
  clock?: Clock;
  log: Log;
}

export type ProbeResult = { ok: true; report: ProbeReport } | { ok: false; refusals: Refusal[] };

const MODEL = 1;
/** Runs that are repeated to measure time, and how long they may take together, in milliseconds. */
const REPEATS = 4;
const REPEAT_BUDGET_MS = 1_000;
/** Differing samples that a refusal writes out. */
const MAX_DIFFERENCES = 3;

/**
 * Loads and runs a version once in a process of its own, which is ended afterwards whatever happened. It takes at most the start of
 * the process, `loadMs`, and `runMs` for each run.
 * @throws only what `signal` was aborted with
 */
export async function probe(request: LoadRequest, options: ProbeOptions): Promise<ProbeResult> {
  const { limits, signal, log, clock = systemClock } = options;
  signal?.throwIfAborted();
  const host = new HostProcess({ memoryLimitBytes: limits.memoryBytes, clock, log });
  const stop = (): void => void host.end();
  signal?.addEventListener('abort', stop);
  try {
    const result = await new Probe(request, options, host, clock).result();
    signal?.throwIfAborted();
    return result;
  } finally {
    signal?.removeEventListener('abort', stop);
    await host.end();
  }
}

/** What was learned of one version so far. */
class Probe implements Runner {
  shapes: GraphShapes = { inputs: [], outputs: [] };
  readonly #request: LoadRequest;
  readonly #options: ProbeOptions;
  readonly #host: HostProcess;
  readonly #model: GuardedModel;
  #lastMs = 0;
  readonly #times: number[] = [];
  readonly #observations: Observation[] = [];

  constructor(request: LoadRequest, options: ProbeOptions, host: HostProcess, clock: Clock) {
    this.#request = request;
    this.#options = options;
    this.#host = host;
    this.#model = new GuardedModel(request, this, clock);
  }

  async result(): Promise<ProbeResult> {
    const { limits, samples = [], bare } = this.#options;
    let loadMs: number;
    let before: number;
    try {
      before = await this.#memoryBytes();
      loadMs = await this.#load();
    } catch (error) {
      return { ok: false, refusals: [loadRefusal(error, limits)] };
    }
    const { signature } = this.#request;
    const refusals = samples.length > 0 ? await this.#runSamples(samples) : await this.#runMadeUp(mildTries(signature));
    if (refusals.length > 0) return { ok: false, refusals };
    const rowOutputs = rowOutputsOf(signature, this.#observations);
    let memoryBytes: number;
    try {
      await this.#repeat();
      memoryBytes = Math.max(0, (await this.#memoryBytes()) - before);
    } catch (error) {
      return { ok: false, refusals: [runRefusal(error, limits)] };
    }
    const report: ProbeReport = { loadMs, runMs: this.#runMs(), memoryBytes, rowOutputs };
    if (samples.length > 0 || !bare) return { ok: true, report };
    const hostile = await this.#runMadeUp(hostileTries(signature, limits.memoryBytes));
    return hostile.length > 0 ? { ok: false, refusals: hostile } : { ok: true, report };
  }

  async #memoryBytes(): Promise<number> {
    const options = { what: 'Measuring memory', timeoutMs: this.#options.limits.runMs };
    return (await this.#host.call({ call: 'memory' }, options)).memoryBytes!;
  }

  async #load(): Promise<number> {
    const options = { what: `Loading ${this.#request.name}`, timeoutMs: this.#options.limits.loadMs };
    const { ms, shapes } = await this.#host.call({ call: 'load', model: MODEL, request: this.#request }, options);
    this.shapes = shapes!;
    return ms;
  }

  /** A run in the host; the checks of a served model come before it. */
  async run(inputs: Tensors, outputs: readonly string[]): Promise<Tensors> {
    const options = { what: `Running ${this.#request.name}`, timeoutMs: this.#options.limits.runMs };
    const answer = await this.#host.call({ call: 'run', model: MODEL, inputs, outputs }, options);
    this.#lastMs = answer.ms;
    return answer.outputs!;
  }

  async release(): Promise<void> {
    await this.#host.end();
  }

  async #observe(inputs: Tensors): Promise<Tensors> {
    const outputs = await this.#model.run(inputs);
    this.#times.push(this.#lastMs);
    this.#observations.push({ inputs, outputs });
    return outputs;
  }

  async #runSamples(samples: readonly Sample[]): Promise<Refusal[]> {
    const differences: string[] = [];
    for (const [index, sample] of samples.entries()) {
      try {
        const difference = await this.#runSample(sample);
        if (difference) differences.push(`Sample ${index + 1}: ${difference}`);
      } catch (error) {
        return [sampleRefusal(error, index + 1, this.#options.limits)];
      }
    }
    if (differences.length === 0) return [];
    const rest = differences.length - MAX_DIFFERENCES;
    const shown = differences.slice(0, MAX_DIFFERENCES).join(' ') + (rest > 0 ? ` And ${rest} more.` : '');
    const message = `${differences.length} of ${samples.length} samples do not come out. ${shown} Make the samples with the code that made the model, or export it again.`;
    return [{ code: 'samples-mismatch', message }];
  }

  /** How a sample does not fit or come out; undefined where it does. */
  async #runSample({ inputs, outputs, tolerance }: Sample): Promise<string | undefined> {
    let given: Tensors;
    let wanted: Tensors;
    try {
      given = tensorsOfSample(inputs);
      wanted = tensorsOfSample(outputs);
      checkInputs(this.#request.signature, given);
    } catch (error) {
      return messageOf(error);
    }
    return compareOutputs(await this.#observe(given), wanted, tolerance);
  }

  /** Errors are fine, as nobody says that the model takes such values; a process that ends is not. */
  async #runMadeUp(tries: readonly Try[]): Promise<Refusal[]> {
    const { limits, log } = this.#options;
    for (const entry of tries) {
      try {
        await (entry.hostile ? this.#model.run(entry.inputs) : this.#observe(entry.inputs));
      } catch (error) {
        if (endedProcess(error)) return [madeUpRefusal(error, entry, limits)];
        const facts = { version: this.#request.name, inputs: entry.title, error: messageOf(error) };
        log.info(facts, 'Made-up inputs were refused');
      }
    }
    return [];
  }

  /** Runs what was answered first a few times more, to measure time. */
  async #repeat(): Promise<void> {
    const [first] = this.#observations;
    if (!first) return;
    let left = REPEAT_BUDGET_MS;
    for (let repeat = 0; repeat < REPEATS && left > 0; repeat++) {
      await this.#model.run(first.inputs);
      this.#times.push(this.#lastMs);
      left -= this.#lastMs;
    }
  }

  /** Median of the runs after the first, which is slower than those that follow; the limit where no run was answered, as nothing is known then. */
  #runMs(): number {
    const times = (this.#times.length > 1 ? this.#times.slice(1) : this.#times).sort((a, b) => a - b);
    return times[Math.floor(times.length / 2)] ?? this.#options.limits.runMs;
  }
}
