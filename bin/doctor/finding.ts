import { KedgeError, messageOf } from '../../contract/errors.ts';

/** `good`: as it should be. `note`: to know. `warn`: works, and will hurt. `bad`: does not work. */
export type Verdict = 'good' | 'note' | 'warn' | 'bad';

/** What was found at one look. */
export interface Finding {
  /** What was looked at: `bucket`, `volume`, … */
  about: string;
  verdict: Verdict;
  sentence: string;
  /** What to do; on every `warn` and `bad`. */
  advice?: string;
}

/** Collects what one check finds. */
export class Findings {
  readonly about: string;
  readonly list: Finding[] = [];

  constructor(about: string) {
    this.about = about;
  }

  good(sentence: string): void {
    this.#add('good', sentence);
  }

  note(sentence: string, advice?: string): void {
    this.#add('note', sentence, advice);
  }

  warn(sentence: string, advice: string): void {
    this.#add('warn', sentence, advice);
  }

  bad(sentence: string, advice: string): void {
    this.#add('bad', sentence, advice);
  }

  /** An error: those of Kedge say themselves what to do. */
  failed(thrown: unknown, doing: string, advice = 'See what the sentence says, and kedge doctor again.'): void {
    const timedOut = thrown instanceof Error && thrown.name === 'TimeoutError';
    const said = timedOut ? 'it took too long' : messageOf(thrown);
    this.#add('bad', `${doing}: ${said}`, thrown instanceof KedgeError && !timedOut ? undefined : advice);
  }

  #add(verdict: Verdict, sentence: string, advice?: string): void {
    this.list.push({ about: this.about, verdict, sentence, ...(advice && { advice }) });
  }
}

const MARKS: Record<Verdict, string> = { good: 'ok  ', note: 'note', warn: 'WARN', bad: 'FAIL' };

/** One line for each finding, its advice below it. */
export function findingsText(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ about }) => about.length));
  return findings
    .flatMap(({ about, verdict, sentence, advice }) => [
      `${MARKS[verdict]}  ${about.padEnd(width)}  ${sentence}`,
      ...(advice ? [`${' '.repeat(MARKS.good.length + width + 4)}→ ${advice}`] : []),
    ])
    .map((line) => `${line}\n`)
    .join('');
}
