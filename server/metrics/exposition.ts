/** Labels as they stand between the braces, or nothing. */
export type Labels = string;

export type Sample = readonly [labels: Labels, value: number];

/** Counts of observations by bucket, each bucket for itself, the last for what is over all bounds. */
export interface Observed {
  counts: readonly number[];
  sum: number;
}

/** A metric with all of its series. */
export interface Family {
  name: string;
  help: string;
  type: 'gauge' | 'counter' | 'histogram';
  /** The lines of its series, in pieces that belong together. */
  pieces(): Iterable<string>;
}

/** Text of a scrape after which others have their turn: less than a millisecond of work. */
const SLICE_CHARACTERS = 65_536;

/**
 * Text of metrics as Prometheus reads it (text format 0.0.4), a few families or many thousands of series. The registry of a library takes some ten
 * microseconds a line, all in one turn of the event loop; with a thousand models predictions would stand still for a second at each scrape. So
 * labels are written once for all families, and a turn makes but a slice of the text.
 * @param turn resolves once all else that waits had its turn
 * @returns the slices, one after another the whole text
 */
export async function* expose(families: Iterable<Family>, turn: () => Promise<void>): AsyncGenerator<string> {
  let slice = '';
  for (const { name, help, type, pieces } of families) {
    slice += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    for (const piece of pieces()) {
      slice += piece;
      if (slice.length < SLICE_CHARACTERS) continue;
      yield slice;
      slice = '';
      await turn();
    }
    slice += '\n';
  }
  yield slice;
}

/** `a="b",c="d"`, in the order given. */
export function labelsOf(labels: Readonly<Record<string, string>>): Labels {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replaceAll(/[\\"\n]/g, (odd) => (odd === '\n' ? '\\n' : `\\${odd}`))}"`)
    .join(',');
}

export function gauge(name: string, help: string, samples: () => Iterable<Sample>): Family {
  return { name, help, type: 'gauge', pieces: () => linesOf(name, samples()) };
}

export function counter(name: string, help: string, samples: () => Iterable<Sample>): Family {
  return { name, help, type: 'counter', pieces: () => linesOf(name, samples()) };
}

/** @param bounds upper ones, without the infinite */
export function histogram(
  name: string,
  help: string,
  bounds: readonly number[],
  samples: () => Iterable<readonly [labels: Labels, observed: Observed]>,
): Family {
  const heads = [...bounds.map(String), '+Inf'].map((le) => `le="${le}"} `);
  return {
    name,
    help,
    type: 'histogram',
    *pieces() {
      for (const [labels, observed] of samples()) yield bucketsOf(name, heads, labels, observed);
    },
  };
}

function* linesOf(name: string, samples: Iterable<Sample>): Iterable<string> {
  for (const [labels, value] of samples) yield labels === '' ? `${name} ${value}\n` : `${name}{${labels}} ${value}\n`;
}

function bucketsOf(name: string, heads: readonly string[], labels: Labels, { counts, sum }: Observed): string {
  const head = `${name}_bucket{${labels === '' ? '' : `${labels},`}`;
  const tail = labels === '' ? '' : `{${labels}}`;
  let text = '';
  let below = 0;
  for (const [index, le] of heads.entries()) {
    below += counts[index]!;
    // Shares of a run of which not all requests are answered yet are no observation yet.
    text += `${head}${le}${Math.round(below)}\n`;
  }
  return `${text}${name}_sum${tail} ${sum}\n${name}_count${tail} ${Math.round(below)}\n`;
}
