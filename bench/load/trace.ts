import { parse } from 'csv-parse/sync';
import { KedgeError, messageOf } from '../../contract/errors.ts';

export interface TracePoint {
  seconds: number;
  /** Requests per second from then on. */
  rate: number;
}

/**
 * A recorded load: CSV with a line for each change of the rate, its first two columns seconds and requests per second. A line of names before them is skipped, and so are lines
 * that begin with `#`.
 * @throws KedgeError `data-invalid` that names the line and what to do
 */
export function readTrace(text: string, file: string): TracePoint[] {
  const rows = recordsOf(text, file);
  const isHead = rows.length > 0 && rows[0]!.cells.every((cell) => !Number.isFinite(Number(cell)));
  const points = (isHead ? rows.slice(1) : rows).map(({ cells, line }) => {
    const [seconds, rate] = cells.map((cell) => (cell.trim() === '' ? Number.NaN : Number(cell)));
    if (Number.isFinite(seconds) && rate! >= 0 && rate! < Number.POSITIVE_INFINITY)
      return { seconds: seconds!, rate: rate!, line };
    throw invalid(file, `line ${line} must begin with seconds and a rate from 0, as in: 60,12.5`);
  });
  if (points.length === 0) throw invalid(file, 'it has no rows; each gives seconds and a rate, as in: 60,12.5');
  for (const [index, { seconds, line }] of points.entries()) {
    if (index > 0 && seconds <= points[index - 1]!.seconds)
      throw invalid(file, `line ${line} is not later than the one before it; put the rows in order of time`);
  }
  return points.map(({ seconds, rate }) => ({ seconds, rate }));
}

function recordsOf(text: string, file: string): { cells: string[]; line: number }[] {
  try {
    const options = { bom: true, comment: '#', comment_no_infix: true, relax_column_count: true, trim: true };
    const records = parse(text, { ...options, skip_empty_lines: true, info: true }) as unknown as {
      record: string[];
      info: { lines: number };
    }[];
    return records.map(({ record, info }) => ({ cells: record.slice(0, 2), line: info.lines }));
  } catch (error) {
    throw invalid(file, messageOf(error));
  }
}

function invalid(file: string, problem: string): KedgeError {
  return new KedgeError('data-invalid', `The trace ${file}: ${problem}.`);
}
