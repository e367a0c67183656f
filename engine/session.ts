import type { InferenceSession, OnnxValue, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { KedgeError } from '../contract/errors.ts';
import type { Signature, TensorSpec } from '../contract/signature.ts';
import type { Tensors } from '../contract/tensor.ts';
import type { GraphShapes, GraphValue } from './empty.ts';
import type { RunOptions } from './engine.ts';
import { loadRuntime, type Runtime } from './runtime.ts';
import { loadError, runError } from './runtime-errors.ts';
import { datatypeOf, fromRuntime, toRuntime } from './runtime-tensor.ts';
import { standInForNul } from './strings.ts';

export interface RunnerOptions {
  /** Waits until the process that a run ended is there again, where a run would else be refused at once. */
  awaitsRestart?: boolean;
  /** Told how long the run itself took, in milliseconds, without what it waited for: a turn of the loop, or the pipe to its process. */
  onCompute?(ms: number): void;
}

/** A graph that can be run, here or in another process. Inputs are checked before they come here. */
export interface Runner {
  readonly shapes: GraphShapes;
  /** Memory that it takes, in bytes, where that can be told. */
  readonly memoryBytes?: number | undefined;
  /** Refuses at once what it need not try. @throws KedgeError `request-invalid` */
  check?(inputs: Tensors): void;
  /** @param outputs at least one name, each a tensor output of the graph */
  run(inputs: Tensors, outputs: readonly string[], options?: RunOptions & RunnerOptions): Promise<Tensors>;
  release(): Promise<void>;
}

export interface SessionSource {
  /** For messages: `demand/8`. */
  name: string;
  /** Folder of the model; external data lies in it. */
  dir: string;
  /** The file to load, or its bytes where they were changed on the way. */
  model: string | Uint8Array;
  signature: Signature;
  /** Values of inputs that the graph had defaults for. They are given to each run that leaves them out. */
  defaults?: Tensors | undefined;
  /** Inputs whose default cannot be replaced. */
  fixedInputs?: ReadonlySet<string> | undefined;
}

/**
 * One thread, because the default takes the cores of the whole host and threads of sessions add up. No arena, because after one huge tensor it keeps
 * gigabytes for good, and runs were seen to be no faster with it.
 */
const OPTIONS: InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  executionMode: 'sequential',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  enableCpuMemArena: false,
  logSeverityLevel: 4,
};

/**
 * Loads a graph into the runtime. By path where it can be: bytes cost a copy more.
 * @throws KedgeError `engine-failed` where the runtime refuses, or where the graph is another than the signature says
 */
export async function openSession(source: SessionSource): Promise<Runner> {
  const runtime = await loadRuntime();
  // A graph that comes as bytes has no folder of its own, in which its external data could lie.
  const folder = { session: { model_external_initializers_file_folder_path: source.dir } };
  const options = typeof source.model === 'string' ? OPTIONS : { ...OPTIONS, extra: folder };
  let session: InferenceSession;
  try {
    session = await runtime.InferenceSession.create(source.model as string, options);
  } catch (error) {
    throw loadError(error, source.name, source.dir);
  }
  const problem = mismatch(source, session);
  if (problem === undefined) return new Session(runtime, session, source);
  await session.release();
  throw new KedgeError('engine-failed', `The runtime cannot serve ${source.name}: ${problem}.`);
}

/** Where the graph is another than the signature, or has a name that the binding loses. */
function mismatch({ signature }: SessionSource, session: InferenceSession): string | undefined {
  const declared = new Map(signature.inputs.map((spec) => [spec.name, spec]));
  for (const { name } of session.inputMetadata) {
    if (!declared.has(name)) return `the graph takes an input '${name}' that the signature does not name`;
  }
  if (signature.outputs.length === 0) return 'it has no output that is a tensor';
  if (signature.outputs.some((spec) => spec.name === '__proto__')) {
    return "the runtime's binding loses an output named '__proto__'; export it under another name";
  }
  for (const spec of signature.inputs) {
    // Inputs with a default are not among those of the session.
    const problem = specProblem(spec, session.inputMetadata);
    if (problem && !(problem === MISSING && spec.optional)) return `input '${spec.name}' ${problem}`;
  }
  for (const spec of signature.outputs) {
    const problem = specProblem(spec, session.outputMetadata);
    if (problem) return `output '${spec.name}' ${problem}`;
  }
  return undefined;
}

const MISSING = 'is not in the graph';

function specProblem(spec: TensorSpec, values: readonly InferenceSession.ValueMetadata[]): string | undefined {
  const value = values.find(({ name }) => name === spec.name);
  if (!value) return MISSING;
  if (!value.isTensor) return 'is no tensor';
  const found = datatypeOf(value.type) ?? value.type;
  return found === spec.datatype ? undefined : `is ${found} in the graph and ${spec.datatype} in the signature`;
}

function shapesOf(values: readonly InferenceSession.ValueMetadata[]): GraphValue[] {
  return values.flatMap((value) => (value.isTensor ? [{ name: value.name, shape: value.shape }] : []));
}

class Session implements Runner {
  readonly shapes: GraphShapes;
  readonly #runtime: Runtime;
  readonly #session: InferenceSession;
  readonly #source: SessionSource;

  constructor(runtime: Runtime, session: InferenceSession, source: SessionSource) {
    this.#runtime = runtime;
    this.#session = session;
    this.#source = source;
    this.shapes = { inputs: shapesOf(session.inputMetadata), outputs: shapesOf(session.outputMetadata) };
  }

  async run(inputs: Tensors, outputs: readonly string[], { onCompute }: RunnerOptions = {}): Promise<Tensors> {
    const mark = standInForNul(inputs);
    const feeds = this.#feeds(inputs, mark);
    let results: InferenceSession.ReturnType;
    let began = 0;
    // The runtime puts its work off to the next turn of the loop, which may take in many requests before: this comes right before it.
    if (onCompute)
      setImmediate(() => {
        began = performance.now();
      });
    try {
      // Outputs are named always: the binding throws on those that are no tensors if it is to give all.
      results = await this.#session.run(feeds, outputs);
    } catch (error) {
      throw runError(error, this.#source.name);
    }
    onCompute?.(performance.now() - began);
    return new Map(outputs.map((name) => [name, fromRuntime(results[name] as RuntimeTensor, mark)]));
  }

  /** A null-prototype object, in which a name such as `__proto__` or `constructor` is a name like any other. */
  #feeds(inputs: Tensors, mark: string | undefined): Record<string, OnnxValue> {
    const { defaults = new Map(), fixedInputs } = this.#source;
    const feeds: Record<string, OnnxValue> = Object.create(null);
    for (const [input, tensor] of inputs) {
      if (fixedInputs?.has(input)) throw this.#fixedInput(input);
      feeds[input] = toRuntime(this.#runtime, tensor, mark);
    }
    for (const [input, tensor] of defaults) {
      if (!inputs.has(input)) feeds[input] = toRuntime(this.#runtime, tensor, mark);
    }
    return feeds;
  }

  #fixedInput(input: string): KedgeError {
    return new KedgeError(
      'request-invalid',
      `Input '${input}' of ${this.#source.name} has a default that cannot be replaced here, as it is large or one of many: leave the input out.`,
    );
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}
