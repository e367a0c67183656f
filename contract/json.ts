/**
 * JSON as the tensor protocols write it: whole numbers beyond 2^53 stay exact (bigint), and the tokens NaN, Infinity and
 * -Infinity, which strict JSON lacks, are numbers. Everything else is the platform's own parser.
 */

import { isDigit, restoreTokens, spellTokens } from './json-tokens.ts';

/**
 * Whether there may be a whole number long enough to be unsafe, but for what a text begins with: cheap on what has none, and wrong at times, as on an exponent of so
 * many digits. Digits one by one are searched for several times as fast as a count of them.
 */
const LONG_INTEGER = new RegExp(`[^\\w.+]${'\\d'.repeat(16)}`);

/** @throws SyntaxError where the text is not JSON, the tokens apart */
export function parseJson(text: string): unknown {
  if (!mayHoldTokens(text)) return JSON.parse(text);
  const spelled = spellTokens(text);
  return restoreTokens(JSON.parse(spelled.text), spelled);
}

function mayHoldTokens(text: string): boolean {
  return isDigit(text.charCodeAt(0)) || LONG_INTEGER.test(text) || text.includes('NaN') || text.includes('Infinity');
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
