import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { parse } from 'csv-parse';
import { KedgeError, messageOf } from '../contract/errors.ts';
import { delimiterOf } from './csv-delimiter.ts';

/** More than any line of head has. */
const HEAD_BYTES = 2 ** 18;

export interface CsvLine {
  cells: string[];
  /** Where it begins in the file, from 1; the head's is a line, too. */
  line: number;
}

/**
 * The records of a CSV file (RFC 4180), the head first; empty lines are none.
 * @throws KedgeError `data-invalid` for a file that cannot be read, or is no CSV
 */
export async function* csvLines(path: string): AsyncGenerator<CsvLine> {
  try {
    const delimiter = delimiterOf(await beginningOf(path));
    const parser = parse({ bom: true, delimiter, skip_empty_lines: true, relax_quotes: false, info: true });
    const source = createReadStream(path);
    source.on('error', (error) => parser.destroy(error));
    source.pipe(parser);
    let double = 0;
    try {
      for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
        const breaks = breaksIn(record);
        // The parser counts lines up to the end of a record, and a break within quotes of two characters twice.
        double += breaks.filter((text) => text.length === 2).length;
        yield { cells: record, line: info.lines - double - breaks.length };
      }
    } finally {
      source.destroy();
    }
  } catch (error) {
    if (error instanceof KedgeError) throw error;
    throw new KedgeError('data-invalid', `${path} cannot be read: ${messageOf(error)}.`, { cause: error });
  }
}

function breaksIn(cells: readonly string[]): string[] {
  return cells.flatMap((cell) => (/[\r\n]/.test(cell) ? cell.match(/\r\n|\r|\n/g)! : []));
}

async function beginningOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
