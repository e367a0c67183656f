/**
 * What strict JSON cannot say, carried through the platform's parser: the text is gone through once, what it cannot take is spelled as something that it
 * can, and afterwards only that is mended. To ask about every value, as a reviver does, costs up to sixty times a parse.
 */

const QUOTE = 0x22;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const UPPER_E = 0x45;
const LETTER_I = 0x49;
const LETTER_N = 0x4e;
const BACKSLASH = 0x5c;
const LOWER_E = 0x65;

/** Whole numbers of fewer digits are exact as they are; those of more than the second fit no integer type, and are what a float of them is. */
const EXACT_DIGITS = 16;
const MOST_DIGITS = 40;

/** What a spelling begins with. JSON takes a control character escaped alone, and this one can only be escaped so. */
const MARK = '\u0001';
const ESCAPED_MARK = '\\u0001';
/** Infinity to the parser, between blanks, so that nothing beside it can become a part of it. */
const BEYOND = ' 1e999 ';
const BEYOND_NEGATIVE = ' -1e999 ';

/** So many pieces of text are joined at a time: few enough to be forgotten soon. */
const PARTS = 4096;

/** A text that the parser takes. */
interface Spelled {
  text: string;
  /** What the strings that stand for a number begin with, and no other string of the text does. */
  mark: string;
  /** Null stands for NaN. */
  nullIsNaN: boolean;
  /** How many values stand for others, at most. */
  marked: number;
}

/**
 * Spells whole numbers too long to be exact as marked strings, NaN as null, which is parsed fastest, or as a marked string where the text has nulls of its own,
 * and Infinity as a number over the largest. What stands where no number may, the place of a key included, is no JSON afterwards either.
 */
export function spellTokens(text: string): Spelled {
  const length = 1 + longestRun(text, ESCAPED_MARK);
  const open = `"${ESCAPED_MARK.repeat(length)}`;
  const nullIsNaN = !text.includes('null');
  const nan = nullIsNaN ? 'null' : `${open}NaN"`;
  let parts: string[] = [];
  let spelled = '';
  let marked = 0;
  let copied = 0;
  let at = 0;
  const spell = (from: number, spelling: string): void => {
    parts.push(text.slice(copied, from), spelling);
    if (parts.length >= PARTS) {
      spelled += parts.join('');
      parts = [];
    }
    copied = at;
  };
  const mark = (from: number, spelling: string): void => {
    if (isKey(text, at)) return;
    spell(from, spelling);
    marked += 1;
  };
  while (at < text.length) {
    const from = at;
    const code = text.charCodeAt(at);
    at += 1;
    if (code === QUOTE) at = endOfString(text, at);
    else if (isDigit(code) || code === MINUS) {
      let next = text.charCodeAt(at);
      while (isDigit(next)) next = text.charCodeAt(++at);
      if (code === MINUS && text.startsWith('Infinity', at)) {
        at += 8;
        spell(from, BEYOND_NEGATIVE);
      } else if (goesOn(next)) at = endOfNumber(text, at);
      else if (at - from >= EXACT_DIGITS) {
        const token = text.slice(from, at);
        if (isLong(token)) mark(from, `${open}${token}"`);
      }
    } else if (code === LETTER_N && text.startsWith('aN', at)) {
      at += 2;
      mark(from, nan);
    } else if (code === LETTER_I && text.startsWith('nfinity', at)) {
      at += 7;
      spell(from, BEYOND);
    }
  }
  return { text: spelled + parts.join('') + text.slice(copied), mark: MARK.repeat(length), nullIsNaN, marked };
}

/** Puts the numbers in the place of what {@link spellTokens} made of them, within the value and as it is. */
export function restoreTokens(value: unknown, { mark, nullIsNaN, marked }: Omit<Spelled, 'text'>): unknown {
  let left = marked;
  const restore = (item: unknown): unknown => {
    if (typeof item === 'string') {
      if (!item.startsWith(mark)) return item;
      left -= 1;
      const token = item.slice(mark.length);
      return token === 'NaN' ? Number.NaN : BigInt(token);
    }
    if (item === null) {
      if (!nullIsNaN) return null;
      left -= 1;
      return Number.NaN;
    }
    if (Array.isArray(item)) {
      for (let index = 0; index < item.length && left > 0; index += 1) {
        if (mayHold(item[index])) item[index] = restore(item[index]);
      }
    } else {
      const object = item as Record<string, unknown>;
      for (const key of Object.keys(object)) {
        if (left === 0) break;
        if (mayHold(object[key])) object[key] = restore(object[key]);
      }
    }
    return item;
  };
  return marked > 0 && mayHold(value) ? restore(value) : value;
}

function mayHold(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'object';
}

/** Whether digits are a whole number that a float is not exact for, and an integer type may be. */
function isLong(token: string): boolean {
  const digits = token.charCodeAt(0) === MINUS ? token.slice(1) : token;
  if (digits.length < EXACT_DIGITS || digits.length > MOST_DIGITS || digits.charCodeAt(0) === ZERO) return false;
  return !Number.isSafeInteger(Number(token));
}

/** @param code of a character; NaN behind the end of a text */
export function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** Whether digits before it are the beginning of another number. */
function goesOn(code: number): boolean {
  return code === POINT || code === LOWER_E || code === UPPER_E;
}

function endOfNumber(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (!isDigit(code) && !goesOn(code) && code !== PLUS && code !== MINUS) break;
  }
  return at;
}

/** Behind the quote that ends a string, or the end of the text. @param from behind the one that begins it */
function endOfString(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at += 1;
    else if (code === QUOTE) return at + 1;
  }
  return text.length;
}

/** Whether what ends here stands in the place of a key. */
function isKey(text: string, end: number): boolean {
  let at = end;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at += 1;
  return text.charCodeAt(at) === COLON;
}

/** How often a piece stands in a text in unbroken succession, at most. */
function longestRun(text: string, piece: string): number {
  let longest = 0;
  let run = 0;
  let end = -1;
  for (let at = text.indexOf(piece); at >= 0; at = text.indexOf(piece, end)) {
    run = at === end ? run + 1 : 1;
    longest = Math.max(longest, run);
    end = at + piece.length;
  }
  return longest;
}
