import { parseJson } from '../../contract/json.ts';
import { LENGTH_HEADER } from '../../server/api/request-body.ts';
import type { AnswerCheck, WantedOutput } from './load-options.ts';
import type { LoadBody } from './made-up.ts';

const LINES = /\.(jsonl|ndjson)$/i;

/**
 * The requests of a file: one of JSON, one on each line of JSON lines (`.jsonl`, `.ndjson`), or one of the binary extension: JSON with what it tells of behind it.
 * @throws Error that says what is wrong with it
 */
export function readBodies(file: string, bytes: Buffer): LoadBody[] {
  if (LINES.test(file)) return linesOf(bytes).map((line) => ({ body: line }));
  if (isJson(bytes)) return [{ body: bytes }];
  const length = jsonLength(bytes);
  if (length === undefined) throw new Error('it is neither JSON, nor JSON with binary tensors behind it');
  return [{ body: bytes, headers: { 'content-type': 'application/octet-stream', [LENGTH_HEADER]: String(length) } }];
}

/** What answers must hold, from a file of such answers: one, or one on each line. @throws Error that says what is wrong with it */
export function readWanted(file: string, bytes: Buffer): AnswerCheck[] {
  const texts = LINES.test(file) ? linesOf(bytes) : [bytes.toString()];
  return texts.map((text, index) => {
    const outputs = (parseJson(text) as { outputs?: unknown } | null)?.outputs;
    const isOutput = (one: Partial<WantedOutput>): boolean =>
      typeof one?.name === 'string' &&
      typeof one.datatype === 'string' &&
      Array.isArray(one.shape) &&
      Array.isArray(one.data);
    if (Array.isArray(outputs) && outputs.length > 0 && outputs.every(isOutput)) return { outputs };
    throw new Error(`answer ${index + 1} has no outputs, each with name, datatype, shape and data`);
  });
}

function linesOf(bytes: Buffer): string[] {
  const lines = bytes
    .toString()
    .split('\n')
    .filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new Error('it has no lines');
  for (const [index, line] of lines.entries()) {
    if (!isJson(line)) throw new Error(`line ${index + 1} is no JSON`);
  }
  return lines;
}

function isJson(text: string | Buffer): boolean {
  try {
    parseJson(String(text));
    return true;
  } catch {
    return false;
  }
}

/** Bytes of the object of JSON that others follow; undefined where it begins with none. */
export function jsonLength(bytes: Buffer): number | undefined {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const char = String.fromCharCode(bytes[at]!);
    if (inString) {
      if (char === '\\') at += 1;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{') depth += 1;
    else if (char === '}') {
      depth -= 1;
      if (depth === 0) return isJson(bytes.subarray(0, at + 1)) ? at + 1 : undefined;
    }
    if (depth === 0 && !inString && char.trim() !== '') return undefined;
  }
  return undefined;
}
