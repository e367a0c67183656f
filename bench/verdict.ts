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

/** Prints the figures, writes them to a file where one is named, and has the process end with 1 if one of them is missed. */
export function conclude(figures: readonly Figure[], json: string | undefined, details: object = {}): void {
  const rows = figures.map((figure) => ({
    figure: figure.what,
    wanted: 'atMost' in figure.wanted ? `<= ${figure.wanted.atMost}` : `>= ${figure.wanted.atLeast}`,
    median: rounded(median(figure.measured)),
    least: rounded(Math.min(...figure.measured)),
    most: rounded(Math.max(...figure.measured)),
    rounds: figure.measured.length,
    reached: isReached(figure),
  }));
  console.table(rows);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ figures: rows, ...details }, null, 2)}\n`);
  if (!figures.every(isReached)) process.exitCode = 1;
}

/** Three digits that tell something; NaN, which JSON writes as null, stays what it is. */
export function rounded(value: number | null): number {
  return value === null ? Number.NaN : Number(value.toPrecision(3));
}
