import { type FileHandle, open } from 'node:fs/promises';
import { KedgeError } from '../../contract/errors.ts';
import { parseJson, stringifyJson } from '../../contract/json.ts';
import type { Column, TrainingSet } from '../table.ts';

const HEAD_BYTES = 2 ** 16;
/** Of one reading: what one can be at most is below 2^31. */
const READ_BYTES = 2 ** 30;

/**
 * A table on its way from the process that reads the history to the one that fits: a line of JSON that says what follows, then the
 * columns, one after the other, little-endian, as 32-bit floats (which is what models take), then target and times as 64-bit floats.
 * Written and read column by column: no copy of the table is made.
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

/** Each column is read straight into its array. @throws KedgeError `data-invalid` for a file that was not written whole */
export async function readTable(path: string): Promise<TrainingSet & { notes: readonly string[] }> {
  const file = await open(path);
  try {
    const { head, end } = await readHead(file, path);
    const { rows, notes } = head;
    const { size } = await file.stat();
    const wanted = end + rows * (head.columns.length * 4 + (head.times ? 16 : 8));
    if (size !== wanted) {
      throw new KedgeError('data-invalid', `The table in ${path} has ${size} bytes and not ${wanted}.`);
    }
    let at = end;
    const take = async <T extends Float32Array | Float64Array>(values: T): Promise<T> => {
      await fill(file, values, at);
      at += values.byteLength;
      return values;
    };
    const columns: Column[] = [];
    for (const column of head.columns) columns.push({ ...column, values: await take(new Float32Array(rows)) });
    const target = await take(new Float64Array(rows));
    const times = head.times ? await take(new Float64Array(rows)) : undefined;
    return { table: { rows, columns }, target, times, notes };
  } finally {
    await file.close();
  }
}

/** @returns the head, and where the columns begin */
async function readHead(file: FileHandle, path: string): Promise<{ head: Head; end: number }> {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, at);
    const line = buffer.subarray(0, bytesRead).indexOf('\n');
    parts.push(buffer.subarray(0, line < 0 ? bytesRead : line));
    if (line >= 0) return { head: parseJson(Buffer.concat(parts).toString('utf8')) as Head, end: at + line + 1 };
    if (bytesRead === 0) throw new KedgeError('data-invalid', `The table in ${path} has no head.`);
    at += bytesRead;
  }
}

/** The system may read less at once than it is asked for. */
async function fill(file: FileHandle, { buffer, byteOffset, byteLength }: ArrayBufferView, at: number): Promise<void> {
  for (let done = 0; done < byteLength; ) {
    const part = new Uint8Array(buffer, byteOffset + done, Math.min(byteLength - done, READ_BYTES));
    const { bytesRead } = await file.read(part, 0, part.length, at + done);
    if (bytesRead === 0) throw new KedgeError('data-invalid', 'A table became shorter while it was read.');
    done += bytesRead;
  }
}
