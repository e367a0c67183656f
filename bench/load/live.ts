import { countText, latencyText, numberText, shareText } from '../report/format.ts';
import type { Look } from './tally.ts';

const BAR = 30;
/** Looks that rates are averaged over. */
const RECENT = 4;

export interface LiveFacts {
  url: string;
  /** On the clock of the run. */
  seconds: number;
  /** Seconds of that clock for one on the wall. */
  compression: number;
}

type Sums = Pick<Look, 'scheduled' | 'ok' | 'wrong' | 'failed' | 'dropped'>;

/** What a load does while it runs, as text. */
class Live {
  readonly #facts: LiveFacts;
  readonly #sums: Sums = { scheduled: 0, ok: 0, wrong: 0, failed: 0, dropped: 0 };
  /** The last ones. */
  readonly #looks: Look[] = [];
  #before = 0;

  constructor(facts: LiveFacts) {
    this.#facts = facts;
  }

  add(look: Look): void {
    for (const key of Object.keys(this.#sums) as (keyof Sums)[]) this.#sums[key] += look[key];
    this.#looks.push(look);
    if (this.#looks.length > RECENT) this.#before = this.#looks.shift()!.at;
  }

  /** For a terminal. */
  frame(): string[] {
    const { url, seconds } = this.#facts;
    const { at, inFlight } = this.#last();
    const filled = Math.round(Math.min(1, at / seconds) * BAR);
    const { ok, wrong, failed, dropped } = this.#sums;
    return [
      `${url}  ${numberText(Math.floor(at))} of ${numberText(seconds)} s  [${'='.repeat(filled)}${' '.repeat(BAR - filled)}]`,
      `rate       ${this.#rate()} requests/s`,
      `in flight  ${numberText(inFlight)}`,
      `latency    ${this.#latency()}`,
      `so far     ${numberText(ok)} right, ${numberText(wrong)} wrong, ${numberText(failed)} failed, ${numberText(dropped)} dropped`,
      `versions   ${this.#versions()}`,
    ];
  }

  /** For a log. */
  line(): string {
    const { at, inFlight } = this.#last();
    const { ok, wrong, failed, dropped } = this.#sums;
    return `${numberText(Math.floor(at))} of ${numberText(this.#facts.seconds)} s: ${this.#rate()}/s, ${numberText(inFlight)} in flight, ${this.#latency()}, ${numberText(ok)} right, ${numberText(wrong)} wrong, ${numberText(failed)} failed, ${numberText(dropped)} dropped; ${this.#versions()}`;
  }

  #last(): Look {
    return this.#looks.at(-1)!;
  }

  /** On the wall. */
  #rate(): string {
    const seconds = (this.#last().at - this.#before) / this.#facts.compression;
    const scheduled = this.#looks.reduce((sum, look) => sum + look.scheduled, 0);
    return seconds > 0 ? numberText(Math.round(scheduled / seconds)) : '0';
  }

  #latency(): string {
    const latency = this.#looks.findLast((look) => look.latency)?.latency;
    if (!latency) return 'no answer yet';
    const { p50, p90, p99, max } = latency;
    // Percentiles of several looks cannot be told from those of each.
    return `p50 ${latencyText(p50)}, p90 ${latencyText(p90)}, p99 ${latencyText(p99)}, max ${latencyText(max)} (last 1/4 s with answers)`;
  }

  #versions(): string {
    const counts = new Map<string, number>();
    for (const { versions } of this.#looks) {
      for (const [name, count] of Object.entries(versions)) counts.set(name, (counts.get(name) ?? 0) + count);
    }
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const shown = [...counts].sort(([, a], [, b]) => b - a).slice(0, SHOWN_VERSIONS);
    const rest = counts.size - shown.length;
    const named = shown.map(([name, count]) => `${name} ${shareText(Math.round((count / all) * 1_000) / 1_000)}`);
    return [...named, ...(rest > 0 ? [`and ${countText(rest, 'other')}`] : [])].join(', ') || 'none seen';
  }
}

const SHOWN_VERSIONS = 6;
const LINE_MS = 5_000;

interface Stream {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** Shows a load on a stream: redrawn in place on a terminal, a line now and then elsewhere. @param now milliseconds */
export function showLive(
  stream: Stream,
  facts: LiveFacts,
  now: () => number,
): { onLook: (look: Look) => void; end: () => void } {
  const live = new Live(facts);
  let drawn = 0;
  let next = now() + LINE_MS;
  const clear = (): string => (drawn > 0 ? `\u001b[${drawn}A\u001b[J` : '');
  return {
    onLook(look) {
      live.add(look);
      if (stream.isTTY) {
        // A line that the terminal breaks would take two.
        const lines = live.frame().map((line) => line.slice(0, (stream.columns || 80) - 1));
        stream.write(`${clear()}${lines.join('\n')}\n`);
        drawn = lines.length;
      } else if (now() >= next) {
        next = now() + LINE_MS;
        stream.write(`${live.line()}\n`);
      }
    },
    end() {
      stream.write(clear());
      drawn = 0;
    },
  };
}
