import type { PodRecord } from '../report/record.ts';
import type { PodProcess } from './pod-process.ts';
import type { RunClock } from './run-clock.ts';

export type PodState = PodRecord['states'][number]['state'];

/** Seconds of the run's clock, but for the grace: requests take what they take. */
export interface PodTimes {
  /** From the creation of a pod until its process starts: a node that must be found, an image that must be pulled. */
  startDelay: number;
  /** From the moment that a pod is taken out of the proxy until SIGTERM. */
  preStop: number;
  probePeriod: number;
  /** On the wall: after this a pod that does not end is killed. */
  graceMs: number;
}

export interface PodParts {
  name: string;
  clock: RunClock;
  times: PodTimes;
  start(): PodProcess;
  /** Whether it is ready now. */
  probe(adminPort: number): Promise<boolean>;
  /** Whether declared capacity holds requests back for it. */
  isHeldBack(): Promise<boolean>;
  /** Told after each change of its state. */
  onChange(pod: LocalPod): void;
}

/** Failures in a row that make a ready pod unready, as the Deployment has it. */
const FAILURES = 2;
/** Between two looks whether requests are held back for a pod that drains, in milliseconds of the wall. */
const HELD_MS = 50;

/**
 * One pod: a server process, and what a kubelet would see to.
 *
 *   starting ── ready ──> ready <── 1 good probe, 2 bad ones in a row ──> unready
 *      │                    │                                               │
 *      └──────────────── drain ─────────────────────────────────────────────┴──> draining
 *   each ── its process ended ──> gone
 *
 * A pod that drains is sent nothing more. After the preStop delay, and when declared capacity holds nothing back for it any more, its process gets
 * SIGTERM, whether requests are under way in it or not; at the end of the grace SIGKILL.
 */
export class LocalPod {
  readonly name: string;
  readonly states: { at: number; state: PodState; why?: string }[] = [];
  /** How its process ended: 0 after an orderly drain. */
  exit: { code: number | null; signal: NodeJS.Signals | null } | undefined;
  /** When its process was started. */
  startedAt: number | undefined;
  ports: { port: number; adminPort: number } | undefined;
  readonly #parts: PodParts;
  readonly #gone = Promise.withResolvers<void>();
  /** It is sent nothing and probed no more. */
  readonly #ending = new AbortController();
  readonly #exited = new AbortController();
  #process: PodProcess | undefined;

  constructor(parts: PodParts) {
    this.name = parts.name;
    this.#parts = parts;
    this.#move('starting');
    void this.#live();
  }

  get state(): PodState {
    return this.states.at(-1)!.state;
  }

  /** When it came to be in its state. */
  get since(): number {
    return this.states.at(-1)!.at;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Once its process has ended. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  get complaints(): readonly string[] {
    return this.#process?.complaints ?? [];
  }

  get everReady(): boolean {
    return this.states.some(({ state }) => state === 'ready');
  }

  /** A fault: ends its process at once, or stops and continues it. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.kill(signal);
  }

  /** Has it end in order. */
  async drain(why: string): Promise<void> {
    if (this.state === 'draining' || this.state === 'gone') return this.gone;
    const { clock, times, isHeldBack } = this.#parts;
    this.#move('draining', why);
    this.#ending.abort();
    // What has not started has nothing to end.
    if (!this.#process) {
      this.#move('gone');
      return this.#gone.resolve();
    }
    void clock.sleep((times.graceMs / 1_000) * clock.compression, this.#exited.signal).then(() => {
      if (!this.exit) this.#process?.kill('SIGKILL');
    });
    await clock.sleep(times.preStop, this.#exited.signal);
    const pause = (HELD_MS / 1_000) * clock.compression;
    while (!this.exit && (await isHeldBack())) await clock.sleep(pause, this.#exited.signal);
    if (!this.exit) this.#process.kill('SIGTERM');
    await this.gone;
  }

  /** Ends it without ado. */
  async end(): Promise<void> {
    this.#ending.abort();
    if (!this.#process && this.state !== 'gone') {
      this.#move('gone');
      this.#gone.resolve();
    }
    this.#process?.kill('SIGKILL');
    return this.gone;
  }

  async #live(): Promise<void> {
    const { clock, times, start } = this.#parts;
    if (times.startDelay > 0) await clock.sleep(times.startDelay, this.#ending.signal);
    if (this.#ending.signal.aborted) return;
    this.#process = start();
    this.startedAt = clock.now();
    void this.#process.exited.then((exit) => {
      this.exit = exit;
      this.#ending.abort();
      this.#exited.abort();
      this.#move('gone', exit.signal ? `ended by ${exit.signal}` : `exit code ${exit.code}`);
      this.#gone.resolve();
    });
    this.ports = await this.#process.listening.catch(() => undefined);
    if (this.ports) await this.#probe(this.ports.adminPort);
  }

  async #probe(adminPort: number): Promise<void> {
    const { clock, times, probe } = this.#parts;
    for (let failures = 0; !this.#ending.signal.aborted; ) {
      failures = (await probe(adminPort)) ? 0 : failures + 1;
      if (this.#ending.signal.aborted) return;
      if (failures === 0 && this.state !== 'ready') this.#move('ready');
      if (failures >= FAILURES && this.state === 'ready') this.#move('unready', `${failures} probes failed`);
      await clock.sleep(times.probePeriod, this.#ending.signal);
    }
  }

  #move(state: PodState, why?: string): void {
    this.states.push({ at: this.#parts.clock.now(), state, ...(why !== undefined && { why }) });
    this.#parts.onChange(this);
  }
}
