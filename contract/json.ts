/**
 * JSON as the tensor protocols write it: whole numbers beyond 2^53 stay exact (bigint), and the tokens NaN, Infinity and
 * -Infinity, which strict JSON lacks, are numbers. Everything else is the platform's own parser.
 */

/**
 * A whole number long enough to be unsafe. Digits inside of a string, such as those of a digest, rarely look so, and then cost time alone.
 */
const LONG_INTEGER = /(?<=[\s,:[-]|^)\d{16,}(?=[\s,\]}]|$)/;
/**
 * Strings are matched first, so that a token inside of one is left alone. One that does not end is matched to the end of the text: a pattern
 * that could fail there would try every way to divide the string, for ever.
 */
const STRING_OR_TOKEN = /"(?:[^"\\]+|\\.?)*(?:"|$)|-?\b(?:NaN|Infinity)\b/gs;
/** A whole number of a length that is worth being exact: what is longer fits no integer type, and costs time. */
const WHOLE = /^-?\d{1,40}$/;
/** A spelling of each token as a string that no encoder produces; the reviver knows it by its source text. */
const SPELLED: Record<string, string> = {
  NaN: '"\\u004E\\u0061\\u004E"',
  Infinity: '"\\u0049\\u006Efinity"',
  '-Infinity': '"\\u002D\\u0049nfinity"',
};
const TOKENS = new Map<string, number>([
  [SPELLED['NaN']!, Number.NaN],
  [SPELLED['Infinity']!, Number.POSITIVE_INFINITY],
  [SPELLED['-Infinity']!, Number.NEGATIVE_INFINITY],
]);

type SourceReviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown;

const revive: SourceReviver = (_key, value, { source }) => {
  if (typeof value === 'string') return TOKENS.get(source!) ?? value;
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  return WHOLE.test(source!) ? BigInt(source!) : value;
};

/** @throws SyntaxError where the text is not JSON, the tokens apart */
export function parseJson(text: string): unknown {
  if (!LONG_INTEGER.test(text)) {
    try {
      return JSON.parse(text);
    } catch (error) {
      if (!text.includes('NaN') && !text.includes('Infinity')) throw error;
    }
  }
  const spelled = text.replace(STRING_OR_TOKEN, (match) => SPELLED[match] ?? match);
  return JSON.parse(spelled, revive as (this: unknown, key: string, value: unknown) => unknown);
}

/** Marks a non-finite number until the text is whole; a control character cannot stand in JSON text unescaped. */
const MARK = '\u0001';

/** The opposite of {@link parseJson}: bigint as whole numbers, non-finite numbers as tokens, and negative zero with its sign. */
export function stringifyJson(value: unknown, indent?: number): string {
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
  let marked = false;
  const text = JSON.stringify(
    value,
    (_key, item: unknown) => {
      if (typeof item === 'bigint') return rawJSON(item.toString());
      if (typeof item !== 'number') return item;
      if (item === 0) return Object.is(item, -0) ? rawJSON('-0.0') : item;
      if (Number.isFinite(item)) return item;
      marked = true;
      return MARK + item;
    },
    indent,
  );
  return marked ? text.replace(/"\\u0001(NaN|-?Infinity)"/g, '$1') : text;
}
