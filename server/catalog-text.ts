const HEAD = /^\{"schemaVersion":\d+,"generation":\d+,"writtenAt":"[^"\\]*","models":\[/;
const NAME = /\{"name":"([^"\\]*)"/y;

/** What comes before the models in a catalog as the loader writes it, their bracket included; undefined where it is written otherwise. */
export function headOf(text: string): string | undefined {
  return HEAD.exec(text)?.[0];
}

/** The name of a model whose text begins at `at`; undefined where it does not begin with its name. */
export function nameAt(text: string, at: number): string | undefined {
  NAME.lastIndex = at;
  return NAME.exec(text)?.[1];
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Where the JSON object ends that begins at `at`, exclusive; undefined where it does not. What is in it is not looked at further. */
export function endOfObject(text: string, at: number): number | undefined {
  let depth = 0;
  let inString = false;
  for (let index = at; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === BACKSLASH) index += 1;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (code === OPEN) depth += 1;
    else if (code === CLOSE) {
      depth -= 1;
      if (depth === 0) return index + 1;
    }
  }
  return undefined;
}
