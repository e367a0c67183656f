import { spawn } from 'node:child_process';
import type { Any } from '../manifests/objects.ts';
import { PROGRAMS } from './machine.ts';

export interface Said {
  code: number | null;
  out: string;
  err: string;
}

/** kubectl, as whoever installs Kedge would use it. */
export class Kubectl {
  readonly #config: string;
  readonly #cache: string;

  /** @param config a kubeconfig @param cache folder for what it learns of the server */
  constructor(config: string, cache: string) {
    this.#config = config;
    this.#cache = cache;
  }

  /** @throws with what it said, if it did not end with 0 */
  async run(words: readonly string[], input?: string): Promise<Said> {
    const said = await this.try(words, input);
    if (said.code !== 0) throw new Error(`kubectl ${words.join(' ')} left with ${said.code}: ${said.err}`);
    return said;
  }

  async try(words: readonly string[], input = ''): Promise<Said> {
    const child = spawn(PROGRAMS.kubectl, ['--kubeconfig', this.#config, '--cache-dir', this.#cache, ...words], {
      env: { PATH: process.env['PATH'] ?? '', HOME: this.#cache },
    });
    const said: Said = { code: null, out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said.out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said.err += text;
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    said.code = await new Promise<number | null>((resolve, reject) =>
      child.once('error', reject).once('close', resolve),
    );
    return said;
  }

  /** Server-side apply of rendered manifests. */
  apply(text: string, ...words: string[]): Promise<Said> {
    return this.run(['apply', '--server-side', ...words, '-f', '-'], text);
  }

  async get(...words: string[]): Promise<Any> {
    return JSON.parse((await this.run(['get', ...words, '-o', 'json'])).out);
  }
}
