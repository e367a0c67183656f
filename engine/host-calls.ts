import { type ErrorCode, KedgeError, messageOf } from '../contract/errors.ts';
import type { Tensors } from '../contract/tensor.ts';
import type { GraphShapes } from './empty.ts';
import type { LoadRequest } from './engine.ts';
import type { Frame } from './frames.ts';
import { packTensors, type TensorHead, unpackTensors } from './tensor-blobs.ts';

/** What a host is asked, one call at a time. `model` is a number that the caller chooses. */
export type HostCall =
  | { call: 'load'; model: number; request: LoadRequest }
  | { call: 'run'; model: number; inputs: Tensors; outputs: readonly string[] }
  | { call: 'release'; model: number }
  | { call: 'memory' };

/** What a host answers. A frame with the answer -1 goes before all others: the host is up. */
export interface HostAnswer {
  /** How long the call took within the host, in milliseconds; of `load` without the reading and hashing of files. */
  ms: number;
  /** Of `load`. */
  shapes?: GraphShapes | undefined;
  /** Of `run`. */
  outputs?: Tensors | undefined;
  /** Of `memory`: what is resident, in bytes. Of `load`: what of that is the process's own. */
  memoryBytes?: number | undefined;
  /** Of `load`: how much more of its own the process has since, in bytes. */
  grownBytes?: number | undefined;
}

export const HELLO_ID = -1;

interface CallHeader {
  id: number;
  call: Record<string, unknown>;
  tensors: TensorHead[];
}

interface AnswerHeader {
  id: number;
  error?: { code: ErrorCode; message: string };
  answer?: Omit<HostAnswer, 'outputs'>;
  /** Absent where the answer has none. */
  tensors?: TensorHead[];
}

export function encodeCall(id: number, call: HostCall): Frame {
  const { heads, blobs } = packTensors(call.call === 'run' ? call.inputs : new Map());
  const header: CallHeader = { id, call: { ...call, inputs: undefined }, tensors: heads };
  return { header, blobs };
}

export function decodeCall({ header, blobs }: Frame): { id: number; call: HostCall } {
  const { id, call, tensors } = header as CallHeader;
  if (call['call'] === 'run') call['inputs'] = unpackTensors({ heads: tensors, blobs });
  return { id, call: call as HostCall };
}

export function encodeAnswer(id: number, { outputs, ...answer }: HostAnswer): Frame {
  if (!outputs) return { header: { id, answer } satisfies AnswerHeader, blobs: [] };
  const { heads, blobs } = packTensors(outputs);
  return { header: { id, answer, tensors: heads } satisfies AnswerHeader, blobs };
}

export function encodeFailure(id: number, thrown: unknown): Frame {
  const code = thrown instanceof KedgeError ? thrown.code : 'internal';
  return { header: { id, error: { code, message: messageOf(thrown) } } satisfies AnswerHeader, blobs: [] };
}

export function decodeAnswer({ header, blobs }: Frame): { id: number; answer: HostAnswer | KedgeError } {
  const { id, error, answer, tensors } = header as AnswerHeader;
  if (error) return { id, answer: new KedgeError(error.code, error.message) };
  const outputs = tensors ? unpackTensors({ heads: tensors, blobs }) : undefined;
  return { id, answer: { ...answer!, outputs } };
}
