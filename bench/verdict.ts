import { Console } from 'node:console';
import { writeFileSync } from 'node:fs';
import { median } from './statistics.ts';

/** A figure that a bench must reach: the median over its rounds. */
export interface Figure {
  what: string;
  wanted: { atMost: number } | { atLeast: number };
  /** One for each round. */
  measured: readonly number[];
}

export function isReached({ wanted, measured }: Figure): boolean {
  const value = median(measured);
  return 'atMost' in wanted ? value <= wanted.atMost : value >= wanted.atLeast;
}

/** A figure of what must never happen: the sum over rounds, as the median passes over what a minority of them had. */
export function never(what: string, counts: readonly number[]): Figure {
  return { what, wanted: { atMost: 0 }, measured: [counts.reduce((sum, count) => sum + count, 0)] };
}

/** What a bench came to: its figures, and what else is worth keeping. */
export interface BenchResult {
  figures: readonly Figure[];
  details: object;
}

/** Where a bench tells what it does, and what ends it early. */
export interface BenchIo {
  out: NodeJS.WritableStream;
  signal: AbortSignal;
}

/** Rows under their keys, as `console.table` draws them. */
export function drawTable(out: NodeJS.WritableStream, rows: readonly object[]): void {
  new Console(out).table(rows);
}

/** Prints the figures, and writes them to a file where one is named. @returns whether all are reached */
export function tellFigures(
  { figures, details }: BenchResult,
  { out, json }: { out: NodeJS.WritableStream; json: string | undefined },
): boolean {
  const rows = figures.map((figure) => ({
    figure: figure.what,
    wanted: 'atMost' in figure.wanted ? `<= ${figure.wanted.atMost}` : `>= ${figure.wanted.atLeast}`,
    median: rounded(median(figure.measured)),
    least: rounded(Math.min(...figure.measured)),
    most: rounded(Math.max(...figure.measured)),
    rounds: figure.measured.length,
    reached: isReached(figure),
  }));
  drawTable(out, rows);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ figures: rows, ...details }, null, 2)}\n`);
  return figures.every(isReached);
}

/** The same on standard output; has the process end with 1 if one of the figures is missed. */
export function conclude(figures: readonly Figure[], json: string | undefined, details: object = {}): void {
  if (!tellFigures({ figures, details }, { out: process.stdout, json })) process.exitCode = 1;
}

/** Three digits that tell something; NaN, which JSON writes as null, stays what it is. */
export function rounded(value: number | null): number {
  return value === null ? Number.NaN : Number(value.toPrecision(3));
}
