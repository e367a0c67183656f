const HEAD = /^\{"schemaVersion":\d+,"generation":\d+,"writtenAt":"[^"\\]*","models":\[/;
/** No head is longer. */
const HEAD_BYTES = 200;
const NAME_KEY = Buffer.from('{"name":"');

/** What comes before the models in a catalog as the loader writes it, their bracket included; undefined where it is written otherwise. */
export function headOf(catalog: Buffer): string | undefined {
  return HEAD.exec(catalog.toString('latin1', 0, HEAD_BYTES))?.[0];
}

/** The name of a model whose text begins at `at`; undefined where it does not begin with its name. */
export function nameAt(catalog: Buffer, at: number): string | undefined {
  const from = at + NAME_KEY.length;
  if (!isAt(catalog, NAME_KEY, at)) return undefined;
  return catalog.toString('latin1', from, catalog.indexOf(QUOTE, from));
}

/** Whether the catalog has these bytes there. */
export function isAt(catalog: Buffer, bytes: Buffer, at: number): boolean {
  const end = at + bytes.length;
  return end <= catalog.length && catalog.compare(bytes, 0, bytes.length, at, end) === 0;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Where the JSON object ends that begins at `at`, exclusive; undefined where it does not. What is in it is not looked at further. */
export function endOfObject(catalog: Buffer, at: number): number | undefined {
  let depth = 0;
  let inString = false;
  for (let index = at; index < catalog.length; index++) {
    const code = catalog[index];
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
