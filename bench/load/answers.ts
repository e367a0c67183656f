import { parseJson } from '../../contract/json.ts';
import type { Datatype } from '../../contract/signature.ts';
import { elementCount, newData, type Tensor, type TensorData, type Tensors } from '../../contract/tensor.ts';
import { compareOutputs, tensorOfSample } from '../../engine/samples.ts';
import { readByteStrings, TextMarks } from '../../server/api/byte-strings.ts';
import { LENGTH_HEADER } from '../../server/api/request-body.ts';
import { headerOf } from './http-answer.ts';
import type { HttpAnswer } from './http-connection.ts';
import type { AnswerCheck, Tolerance, WantedOutput } from './load-options.ts';

/** As a manifest has it where it says nothing. */
const TOLERANCE: Tolerance = { abs: 1e-5, rel: 1e-4 };
const VERSION_IN_BODY = /"model_version" *: *"([^"]{1,64})"/;
/** Bytes of a body in which the version is looked for: answers name it before their outputs. */
const VERSION_WITHIN = 512;
const DIGEST_HEADER = 'kedge-model-digest';
const VERSION_HEADER = 'kedge-model-version';

/** The version that gave an answer; undefined where it names none. */
export function versionOf({ head, body }: HttpAnswer): string | undefined {
  return (
    headerOf(head, VERSION_HEADER) ?? VERSION_IN_BODY.exec(body.toString('latin1', 0, VERSION_WITHIN))?.[1] ?? undefined
  );
}

/**
 * The outputs of an answer of the Open Inference Protocol, JSON or binary; undefined where it is none.
 * @throws Error where its tensors are not well formed
 */
function outputsOf({ head, body }: HttpAnswer): Tensors | undefined {
  const length = headerOf(head, LENGTH_HEADER);
  const end = length === undefined ? body.length : Number(length);
  let parsed: unknown;
  try {
    parsed = parseJson(body.toString('utf8', 0, end));
  } catch {
    return undefined;
  }
  const outputs = (parsed as { outputs?: unknown } | null)?.outputs;
  if (!Array.isArray(outputs)) return undefined;
  let at = end;
  return new Map(
    (outputs as (WantedOutput & { parameters?: { binary_data_size?: number } })[]).map((output) => {
      const size = output.parameters?.binary_data_size;
      if (size === undefined) return [output.name, tensorOf(output)];
      const tensor = binaryTensor(output, body.subarray(at, at + size));
      at += size;
      return [output.name, tensor];
    }),
  );
}

/** @throws KedgeError `document-invalid` */
function tensorOf({ datatype, shape, data }: WantedOutput): Tensor {
  return tensorOfSample({ datatype: datatype as Datatype, shape: [...shape], data: [...data] });
}

function binaryTensor({ name, datatype, shape }: Omit<WantedOutput, 'data'>, blob: Buffer): Tensor {
  const type = datatype as Datatype;
  const count = elementCount(shape);
  if (type === 'BYTES') return { datatype: type, shape, data: readByteStrings(name, blob, count, new TextMarks()) };
  const View = newData(type, 0).constructor as new (
    buffer: ArrayBufferLike,
    offset: number,
    length: number,
  ) => TensorData;
  // Copied: it may be kept, and lies anywhere in what was read.
  return { datatype: type, shape, data: new View(new Uint8Array(blob).buffer, 0, count) };
}

interface Known {
  body: Buffer;
  outputs: Tensors | undefined;
  digest: string | undefined;
}

/** Judges the answers to one request. It remembers what each version answered first. */
export class AnswerJudge {
  readonly #check: AnswerCheck;
  readonly #wanted: Tensors | undefined;
  readonly #tolerance: Tolerance;
  readonly #known = new Map<string, Known>();

  /** @throws KedgeError `document-invalid` where wanted outputs are not well formed */
  constructor(check: AnswerCheck = 'same') {
    this.#check = check;
    this.#tolerance = (typeof check === 'object' && check.tolerance) || TOLERANCE;
    if (typeof check !== 'object') return;
    this.#wanted = new Map(check.outputs.map((output) => [output.name, tensorOf(output)]));
  }

  /** @returns what is wrong with an answer that has status 200; undefined if nothing */
  problemOf(answer: HttpAnswer, version: string | undefined): string | undefined {
    if (this.#check === 'status') return undefined;
    const known = this.#known.get(version ?? '');
    const digest = headerOf(answer.head, DIGEST_HEADER);
    if (known && known.digest !== digest) {
      return `version ${version} has digest ${digest}, and had ${known.digest} before`;
    }
    if (known?.body.equals(answer.body)) return undefined;
    try {
      return this.#compare(answer, version, known, digest);
    } catch (error) {
      return `the answer cannot be read: ${(error as Error).message}`;
    }
  }

  #compare(
    answer: HttpAnswer,
    version: string | undefined,
    known: Known | undefined,
    digest: string | undefined,
  ): string | undefined {
    const outputs = outputsOf(answer);
    const want = this.#wanted ?? known?.outputs;
    if (want) {
      if (!outputs) return 'the answer has no outputs';
      const difference = compareOutputs(outputs, want, this.#tolerance);
      if (difference !== undefined) return difference;
    } else if (known) {
      return 'the answer has other bytes than the first one';
    }
    if (!known) this.#known.set(version ?? '', { body: Buffer.from(answer.body), outputs, digest });
    return undefined;
  }
}
