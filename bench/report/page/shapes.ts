/** Paths of SVG in a box of 1000 by 100 that is stretched to its place: lines keep their width (`vector-effect`). All pure. */
export const WIDTH = 1_000;
export const HEIGHT = 100;

/** A place in the box; undefined where there is nothing, and a line has a gap. */
export type Point = readonly [x: number, y: number] | undefined;

const at = (x: number, y: number): string => `${round(x)} ${round(y)}`;
const round = (value: number): number => Math.round(value * 10) / 10;

/** Runs of points without a gap between. */
function runsOf(points: readonly Point[]): (readonly [number, number])[][] {
  const runs: (readonly [number, number])[][] = [[]];
  for (const point of points) {
    if (point) runs.at(-1)!.push(point);
    else if (runs.at(-1)!.length > 0) runs.push([]);
  }
  return runs.filter((run) => run.length > 0);
}

/** A straight line from each point to the next; a point by itself is a dash. */
export function linePath(points: readonly Point[]): string {
  return runsOf(points)
    .map((run) => {
      const [[x, y]] = run as [readonly [number, number]];
      return run.length === 1 ? `M${at(x - 1, y)}H${round(x + 1)}` : `M${run.map((point) => at(...point)).join('L')}`;
    })
    .join('');
}

/** What holds from each place until the next: level, then up or down. The last one reaches to `end`. */
export function stepPath(xs: readonly number[], ys: readonly (number | undefined)[], end: number): string {
  return xs
    .map((x, index) => {
      const y = ys[index];
      if (y === undefined) return '';
      const begin = ys[index - 1] === undefined ? `M${at(x, y)}` : `V${round(y)}`;
      return `${begin}H${round(xs[index + 1] ?? end)}`;
    })
    .join('');
}

/** What lies between a line and the one below it, or the ground. */
export function areaPath(points: readonly Point[], base?: readonly Point[]): string {
  if (!base) {
    return runsOf(points)
      .map((run) => `M${at(run[0]![0], HEIGHT)}L${run.map((point) => at(...point)).join('L')}V${HEIGHT}Z`)
      .join('');
  }
  const both = points.map((point, index) => (point && base[index] ? ([point, base[index]] as const) : undefined));
  const there = both.filter((pair) => pair !== undefined);
  if (there.length === 0) return '';
  const upper = there.map(([point]) => at(...point));
  const lower = there.map(([, point]) => at(...point)).reverse();
  return `M${[...upper, ...lower].join('L')}Z`;
}

/** What lies under steps. */
export function stepAreaPath(xs: readonly number[], ys: readonly (number | undefined)[], end: number): string {
  return areaPath(
    xs.flatMap((x, index): Point[] => {
      const y = ys[index];
      return y === undefined
        ? [undefined]
        : [
            [x, y],
            [xs[index + 1] ?? end, y],
          ];
    }),
  );
}

/** An upright stroke for each place: where something happened. */
export function rugPath(xs: readonly number[], from: number, to: number): string {
  return xs.map((x) => `M${at(x, from)}V${round(to)}`).join('');
}

/** A box from one time to another. */
export function boxPath(from: number, until: number, top: number, bottom: number): string {
  return `M${at(from, top)}H${round(Math.max(until, from + 0.8))}V${round(bottom)}H${round(from)}Z`;
}
