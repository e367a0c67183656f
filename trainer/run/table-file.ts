import { type FileHandle, open, readFile } from 'node:fs/promises';
import { KedgeError } from '../../contract/errors.ts';
import { parseJson, stringifyJson } from '../../contract/json.ts';
import type { Column, TrainingSet } from '../table.ts';

/**
 * A table on its way from the process that reads the history to the one that fits: a line of JSON that says what follows, then the
 * columns, one after the other, little-endian, as 32-bit floats (which is what models take), then target and times as 64-bit floats.
 * Written column by column: no copy of the table is made.
 */
interface Head {
  rows: number;
  columns: Omit<Column, 'values'>[];
  times: boolean;
  notes: readonly string[];
}

export async function writeTable(path: string, set: TrainingSet, notes: readonly string[] = []): Promise<void> {
  const { table, target, times } = set;
  const columns = table.columns.map(({ values: _, ...column }) => column);
  const head: Head = { rows: table.rows, columns, times: times !== undefined, notes };
  const file = await open(path, 'w');
  try {
    await file.appendFile(`${stringifyJson(head)}\n`);
    for (const { values } of table.columns) {
      await append(file, values instanceof Float32Array ? values : Float32Array.from(values));
    }
    await append(file, target);
    if (times) await append(file, times);
  } finally {
    await file.close();
  }
}

async function append(file: FileHandle, values: Float32Array | Float64Array): Promise<void> {
  await file.appendFile(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
}

/** @throws KedgeError `data-invalid` for a file that was not written whole */
export async function readTable(path: string): Promise<TrainingSet & { notes: readonly string[] }> {
  const bytes = await readFile(path);
  const end = bytes.indexOf('\n');
  const head = parseJson(bytes.toString('utf8', 0, end)) as Head;
  const { rows, notes } = head;
  const wanted = end + 1 + rows * (head.columns.length * 4 + (head.times ? 16 : 8));
  if (bytes.length !== wanted) {
    throw new KedgeError('data-invalid', `The table in ${path} has ${bytes.length} bytes and not ${wanted}.`);
  }
  let at = end + 1;
  /** A copy, as views want their place aligned. */
  const take = (width: 4 | 8): ArrayBuffer => {
    const part = new Uint8Array(bytes.subarray(at, at + rows * width)).buffer;
    at += rows * width;
    return part;
  };
  const columns = head.columns.map((column): Column => ({ ...column, values: new Float32Array(take(4)) }));
  const target = new Float64Array(take(8));
  const times = head.times ? new Float64Array(take(8)) : undefined;
  return { table: { rows, columns }, target, times, notes };
}
