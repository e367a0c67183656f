import { type Document, isMap, isNode, isScalar, LineCounter, type Pair, parseDocument, stringify } from 'yaml';
import { KedgeError } from '../../contract/errors.ts';
import { nearest } from '../../contract/nearest.ts';
import type { Kind } from './judge/kind.ts';
import { LOAD_KINDS } from './judge/load.ts';
import { SCALING_KINDS } from './judge/scaling.ts';
import { ZERO_KINDS } from './judge/zero.ts';
import type { RunRecord, Verdict } from './record.ts';

const KINDS: Readonly<Record<string, Kind<unknown>>> = { ...LOAD_KINDS, ...SCALING_KINDS, ...ZERO_KINDS };

/** One demand on a run, of a kind that is known and with a value that is well formed. */
export interface Assertion {
  /** As it was written: `max_error_rate: 0`. */
  text: string;
  judge(record: RunRecord): Verdict;
}

/** Every kind of assertion, for help and documentation: its name, what may be written for it, what it demands. */
export function describeAssertions(): { name: string; form: string; about: string }[] {
  return Object.entries(KINDS).map(([name, { form, about }]) => ({ name, form, about }));
}

/**
 * Reads assertions: a YAML mapping from name to value.
 *
 * @param path for messages
 * @throws KedgeError config-invalid, which names every problem at once
 */
export function readAssertions(text: string, path: string): Assertion[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const { contents } = document;
  const pairs = document.errors.length === 0 && isMap(contents) ? contents.items : [];
  const assertions: Assertion[] = [];
  const problems = document.errors.map(({ message, pos }) => ({ at: pos[0], problem: message }));
  if (pairs.length === 0 && problems.length === 0) {
    problems.push({ at: 0, problem: 'it must map at least one assertion to its value, such as max_error_rate: 0' });
  }
  for (const pair of pairs) {
    const read = readPair(pair, text, document);
    if ('problem' in read) problems.push(read);
    else assertions.push(read);
  }
  if (problems.length === 0) return assertions;
  const sentences = problems.map(({ at, problem }) => `  line ${lines.linePos(at).line || 1}: ${problem}\n`);
  throw new KedgeError(
    'config-invalid',
    `${path} is no file of assertions:\n${sentences.join('')}Known are: ${Object.keys(KINDS).join(', ')}.`,
  );
}

type Read = Assertion | { problem: string; at: number };

function readPair({ key, value }: Pair<unknown, unknown>, text: string, document: Document.Parsed): Read {
  const [at, keyEnd] = rangeOf(key);
  const name = isScalar(key) ? String(key.value) : text.slice(at, keyEnd);
  if (!Object.hasOwn(KINDS, name)) {
    const meant = nearest(name, Object.keys(KINDS));
    return { at, problem: `there is no assertion '${name}'${meant ? `; did you mean ${meant}?` : ''}` };
  }
  const kind = KINDS[name]!;
  const plain: unknown = isNode(value) ? value.toJS(document) : value;
  const parsed = kind.value.safeParse(plain);
  if (!parsed.success) {
    return { at, problem: `${name} takes ${kind.form}, and not ${plain === null ? 'nothing' : JSON.stringify(plain)}` };
  }
  const written = `${name}: ${stringify(plain, { collectionStyle: 'flow', lineWidth: 0 }).trim()}`;
  return {
    text: written,
    judge(record) {
      const { holds, measured, advice } = kind.judge(record, parsed.data);
      return { assertion: written, holds, measured, ...(holds ? {} : { advice: advice() }) };
    },
  };
}

/** Where a node of YAML begins, and where its value ends, in characters. */
function rangeOf(node: unknown): [start: number, end: number] {
  const range = typeof node === 'object' && node !== null && 'range' in node ? (node.range as number[] | null) : null;
  return [range?.[0] ?? 0, range?.[1] ?? 0];
}

/** Holds a run against what is demanded of it, in the order of the assertions. Pure. */
export function judge(record: RunRecord, assertions: readonly Assertion[]): Verdict[] {
  return assertions.map((assertion) => assertion.judge(record));
}
