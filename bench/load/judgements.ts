import { type AnswerJudge, versionOf } from './answers.ts';
import type { HttpAnswer } from './http-connection.ts';
import type { Outcome } from './settlements.ts';

const MAX_PROBLEMS = 20;
const SHOWN_BODY = 160;

/** What one thread makes of answers: outcomes, with numbers for versions and a few problems in words, which are told of once. */
export class Judgements {
  readonly #versions = new Map<string, number>();
  readonly #problems = new Set<string>();
  #newVersions: string[] = [];
  #newProblems: string[] = [];

  /**
   * @param answer undefined where there was none
   * @param why there was none
   * @returns with the number of the version, -1 where none was named
   */
  of(
    { model, judge }: { model: string; judge: AnswerJudge },
    answer: HttpAnswer | undefined,
    why: string,
  ): { outcome: Outcome; version: number } {
    if (answer?.status !== 200) {
      this.#problem(model, answer ? `status ${answer.status}: ${excerpt(answer.body)}` : why);
      return { outcome: 'failed', version: -1 };
    }
    const named = versionOf(answer);
    const version = named === undefined ? -1 : this.#numberOf(`${model}/${named}`);
    const problem = judge.problemOf(answer, named);
    if (problem === undefined) return { outcome: 'ok', version };
    this.#problem(model, problem);
    return { outcome: 'wrong', version };
  }

  /** What was seen for the first time since it was last taken: versions in the order of their numbers. */
  take(): { versions: string[]; problems: string[] } {
    const taken = { versions: this.#newVersions, problems: this.#newProblems };
    this.#newVersions = [];
    this.#newProblems = [];
    return taken;
  }

  #numberOf(version: string): number {
    let number = this.#versions.get(version);
    if (number === undefined) {
      number = this.#versions.size;
      this.#versions.set(version, number);
      this.#newVersions.push(version);
    }
    return number;
  }

  #problem(model: string, what: string): void {
    const text = `${model}: ${what}`;
    if (this.#problems.size >= MAX_PROBLEMS || this.#problems.has(text)) return;
    this.#problems.add(text);
    this.#newProblems.push(text);
  }
}

function excerpt(body: Buffer): string {
  const text = body.toString('utf8', 0, SHOWN_BODY).replace(/\s+/g, ' ');
  return body.length > SHOWN_BODY ? `${text}…` : text;
}
