import { pipeline, type Readable } from 'node:stream';
import { KedgeError, messageOf } from '../../../contract/errors.ts';
import { delimiterOf } from '../../../trainer/csv-delimiter.ts';

export interface CsvLine {
  /** From 1, the header's line. */
  line: number;
  record: Record<string, string>;
}

/**
 * The lines of a CSV file with a header (RFC 4180; commas, semicolons or tabs, whichever the header has). Columns may be in any
 * order, and others among them.
 * @throws KedgeError `data-invalid` for a file that is none, or lacks a column
 */
export async function* readCsv(stream: Readable, columns: readonly string[], file: string): AsyncGenerator<CsvLine> {
  // Imported when called for: of all that touch a history, few bring a file in.
  const { parse } = await import('csv-parse');
  const { delimiter, rest } = await peek(stream);
  const parser = parse({
    bom: true,
    delimiter,
    trim: true,
    skip_empty_lines: true,
    info: true,
    columns: (header: string[]) => checkHeader(header, columns, file),
  });
  pipeline(rest, parser, () => undefined);
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: Record<string, string>;
      info: { lines: number };
    }>) {
      yield { line: info.lines, record };
    }
  } catch (error) {
    if (error instanceof KedgeError) throw error;
    throw new KedgeError('data-invalid', `${file} cannot be read: ${messageOf(error)}.`, { cause: error });
  }
}

function checkHeader(header: string[], columns: readonly string[], file: string): string[] {
  const names = header.map((name) => name.toLowerCase());
  const missing = columns.filter((name) => !names.includes(name));
  if (missing.length === 0) return names;
  throw new KedgeError(
    'data-invalid',
    `${file} lacks ${missing.map((name) => `'${name}'`).join(' and ')} among its columns (${header.join(', ')}). Its first line must name ${columns.join(', ')}, in any order.`,
  );
}

/** Looks at the first line for what lies between its names. */
async function peek(stream: Readable): Promise<{ delimiter: string; rest: AsyncIterable<Buffer> }> {
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await iterator.next().catch((error: unknown) => {
    throw new KedgeError('source-invalid', `The file cannot be read: ${messageOf(error)}.`, { cause: error });
  });
  const delimiter = delimiterOf(first.done ? '' : String(first.value));
  const rest = async function* (): AsyncGenerator<Buffer> {
    if (!first.done) yield first.value;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  };
  return { delimiter, rest: rest() };
}

const TOLD = 10;

/** What is wrong with a file: the first lines in full, the others as a number. */
export class Problems {
  readonly #file: string;
  readonly #told: string[] = [];
  #lines = 0;
  #toldLines = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** @param lines how many lines it takes away */
  add(line: number, problem: string, lines = 1): void {
    this.#lines += lines;
    if (this.#told.length === TOLD) return;
    this.#told.push(`line ${line}: ${problem}`);
    this.#toldLines += lines;
  }

  /**
   * @returns what to say of lines that were left out
   * @throws KedgeError `data-invalid` that names them, unless they may be left out
   */
  settle(skip: boolean): string[] {
    if (this.#lines === 0) return [];
    const more = this.#lines - this.#toldLines;
    const list = [...this.#told, ...(more > 0 ? [`and ${more} more`] : [])].map((one) => `  ${one}`).join('\n');
    const rows = this.#lines === 1 ? '1 line' : `${this.#lines} lines`;
    if (skip) return [`${rows} of ${this.#file} were left out:\n${list}`];
    throw new KedgeError(
      'data-invalid',
      `${rows} of ${this.#file} cannot be taken, and nothing was imported:\n${list}\nCorrect them, or give --skip-bad to leave them out.`,
    );
  }
}
