import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Any } from '../../manifests/objects.ts';
import { hasEnded } from '../processes.ts';
import { probe } from './probes.ts';
import type { ContainerKind, ContainerState, ContainerView } from './status.ts';

export interface ContainerOptions {
  spec: Any;
  kind: ContainerKind;
  /** Of the pod; of itself for a sidecar. */
  restartPolicy: 'Always' | 'OnFailure' | 'Never';
  ip: string;
  /** The words that become its program. */
  command: readonly string[];
  env: Readonly<Record<string, string>>;
  log: string;
  /** `terminationGracePeriodSeconds` of the pod, for a container whose probe fails. */
  graceMs: number;
  onChange(): void;
}

/** Of a container that ended by itself, doubled at each time that it does. */
const BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;

/**
 * One container as a process.
 *
 *   waiting ──> running ──> terminated ──> waiting (back-off) ──> running …
 *                 │  └ startup probe: started; readiness probe: ready, and not
 *                 └ startup or liveness probe failed: SIGTERM, SIGKILL after the grace of its pod
 *
 * `run` ends with the last terminated: when its policy says so, or after `end`.
 */
export class Container {
  readonly #options: ContainerOptions;
  #state: ContainerState = { waiting: { reason: 'PodInitializing' } };
  #last: ContainerState | undefined;
  #restarts = 0;
  #started = false;
  #ready = false;
  #ending = false;
  #child: ChildProcess | undefined;
  readonly #backoff = new AbortController();
  readonly #hasStarted = Promise.withResolvers<void>();

  constructor(options: ContainerOptions) {
    this.#options = options;
  }

  get kind(): ContainerKind {
    return this.#options.kind;
  }

  get view(): ContainerView {
    const { spec, kind } = this.#options;
    return {
      name: spec.name,
      image: spec.image,
      kind,
      state: this.#state,
      ...(this.#last && { last: this.#last }),
      restarts: this.#restarts,
      started: this.#started,
      ready: this.#ready,
    };
  }

  /** Of its first start that came so far. */
  get hasStarted(): Promise<void> {
    return this.#hasStarted.promise;
  }

  /** @returns the code with which it ended for good */
  async run(): Promise<number | undefined> {
    for (let wait = BACKOFF_MS; !this.#ending; wait = Math.min(2 * wait, MAX_BACKOFF_MS)) {
      const code = await this.#once();
      const { restartPolicy } = this.#options;
      if (this.#ending || restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && code === 0)) return code;
      this.#last = this.#state;
      this.#become({ waiting: { reason: 'CrashLoopBackOff', message: `ended with ${code}` } });
      await delay(wait, undefined, { signal: this.#backoff.signal }).catch(() => undefined);
      this.#restarts += 1;
    }
    return undefined;
  }

  /** preStop, SIGTERM, and SIGKILL at the deadline; it is not started again. @param deadline milliseconds since 1970 */
  async end(deadline: number): Promise<void> {
    this.#ending = true;
    this.#backoff.abort();
    if (!this.#child || hasEnded(this.#child)) return;
    const { preStop } = this.#options.spec.lifecycle ?? {};
    const left = Math.max(0, deadline - Date.now());
    if (preStop?.sleep) await delay(Math.min(preStop.sleep.seconds * 1_000, left));
    if (preStop?.exec) await this.#exec(preStop.exec.command, left);
    await this.#stop(deadline - Date.now());
  }

  async #once(): Promise<number> {
    const { command, env, log } = this.#options;
    const output = openSync(log, 'a');
    const [program, ...words] = command;
    // A group of its own: what it started goes with it, as with a container.
    const child = spawn(program!, words, { stdio: ['ignore', output, output], env, detached: true });
    closeSync(output);
    this.#child = child;
    const startedAt = now();
    this.#become({ running: { startedAt } });
    const probes = new AbortController();
    this.#probe(probes.signal);
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    probes.abort();
    killGroup(child);
    this.#started = this.#ready = false;
    const number = signal ? constants.signals[signal] : undefined;
    const exitCode = number === undefined ? code! : 128 + number;
    this.#become({
      terminated: {
        exitCode,
        ...(number !== undefined && { signal: number }),
        reason: exitCode === 0 ? 'Completed' : 'Error',
        startedAt,
        finishedAt: now(),
      },
    });
    return exitCode;
  }

  #become(state: ContainerState): void {
    this.#state = state;
    this.#options.onChange();
  }

  #probe(signal: AbortSignal): void {
    const { spec, ip } = this.#options;
    const target = { ip, ports: spec.ports ?? [], exec: this.#exec };
    const fails = (): void => {
      if (!this.#ending) void this.#stop(this.#options.graceMs);
    };
    const afterStart = (): void => {
      this.#started = true;
      this.#hasStarted.resolve();
      this.#setReady(spec.readinessProbe === undefined);
      if (spec.livenessProbe) void probe(spec.livenessProbe, target, signal, (good) => good || fails());
      if (spec.readinessProbe) void probe(spec.readinessProbe, target, signal, (good) => this.#setReady(good));
    };
    if (!spec.startupProbe) {
      afterStart();
      return;
    }
    const startup = new AbortController();
    void probe(spec.startupProbe, target, AbortSignal.any([signal, startup.signal]), (good) => {
      startup.abort();
      if (good) afterStart();
      else fails();
    });
  }

  #setReady(ready: boolean): void {
    this.#ready = ready;
    this.#options.onChange();
  }

  async #stop(graceMs: number): Promise<void> {
    const child = this.#child!;
    if (hasEnded(child)) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => killGroup(child), Math.max(0, graceMs));
    await gone;
    clearTimeout(timer);
  }

  /** A command within the container, with its environment. */
  #exec = async (command: readonly string[], timeoutMs: number): Promise<boolean> => {
    const pid = String(this.#child!.pid);
    const words = ['--target', pid, '--mount', '--net', '--root', '--', 'env', '-C', '/', ...command];
    const child = spawn('nsenter', words, { stdio: 'ignore', env: this.#options.env, timeout: timeoutMs });
    const [code] = await once(child, 'exit').catch(() => [1]);
    return code === 0;
  };
}

function killGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}

/** As the API has times. */
function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
