import { setPriority } from 'node:os';
import type { LoadRequest } from './engine.ts';
import type { HostCall } from './host-calls.ts';
import { type CallOptions, HostProcess, type HostProcessOptions } from './host-process.ts';
import { FairTurns } from './turns.ts';

export interface HostPoolOptions extends HostProcessOptions {
  /** Processes that models share, at most: as many as the process has CPUs. */
  sharedHosts: number;
}

/** Heavy models give way to the serving loop, which takes microseconds where they take milliseconds. */
const NICENESS_ALONE = 10;

/** What a version is made of, whoever dropped it. */
type Bytes = Pick<LoadRequest, 'files'>;

function keyOf({ files }: Bytes): string {
  return files
    .map(({ path, sha256 }) => `${sha256} ${path}`)
    .sort()
    .join('\n');
}

/** A host process, the models in it, and whose turn it is. */
export class Host {
  readonly process: HostProcess;
  readonly turns = new FairTurns({ sliceMs: 0 });
  readonly isShared: boolean;
  residents = 0;

  constructor(options: HostProcessOptions, isShared: boolean) {
    this.process = new HostProcess(options);
    this.isShared = isShared;
    if (isShared || this.process.pid === undefined) return;
    try {
      setPriority(this.process.pid, NICENESS_ALONE);
    } catch {
      // It is gone already, or this system has no such thing.
    }
  }

  call(call: HostCall, options: CallOptions): ReturnType<HostProcess['call']> {
    return this.process.call(call, options);
  }
}

/**
 * The host processes of an engine. Light models share a few; a process starts when the first model wants it, takes in the next ones
 * as long as it has fewest, and ends with its last one, which gives its memory back.
 */
export class HostPool {
  readonly #options: HostPoolOptions;
  readonly #shared = new Set<Host>();
  /** What ended a process, by its bytes: it shares none any more, whatever its name. Other bytes under that name may. */
  readonly #killers = new Set<string>();
  #lastModel = 0;

  constructor(options: HostPoolOptions) {
    this.#options = options;
  }

  /** A place for one model. @param alone in a process of its own */
  enter(alone: boolean): Host {
    const host = alone ? new Host(this.#options, false) : this.#sharedHost();
    host.residents += 1;
    return host;
  }

  /** A number for a model, of which no other one in any process has it. */
  nextModel(): number {
    this.#lastModel += 1;
    return this.#lastModel;
  }

  noteKiller(version: Bytes): void {
    this.#killers.add(keyOf(version));
  }

  isKiller(version: Bytes): boolean {
    return this.#killers.has(keyOf(version));
  }

  /** Gives a place back. Resolves when the process is gone, if it was the last one in it. */
  async leave(host: Host): Promise<void> {
    host.residents -= 1;
    if (host.residents > 0) return;
    this.#shared.delete(host);
    await host.process.end();
  }

  #sharedHost(): Host {
    for (const host of this.#shared) if (host.process.state === 'dead') this.#shared.delete(host);
    if (this.#shared.size < this.#options.sharedHosts) {
      const host = new Host(this.#options, true);
      this.#shared.add(host);
      return host;
    }
    return [...this.#shared].reduce((least, host) => (host.residents < least.residents ? host : least));
  }
}
