import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Backend } from './backend.ts';
import type { Exchange } from './exchange.ts';

/**
 * One attempt to have a request answered by one pod.
 *
 *   waiting ── its turn ──> sent ── answer begins ──> held ── declared time of service is over ──> answering
 *      └────────────────────────── client gone, pod gone, connection broken, all answered ───────────┴──> over
 */
export class Passage {
  readonly #exchange: Exchange;
  readonly #backend: Backend;
  readonly #onUnsent: () => void;
  readonly #entered = performance.now();
  #over = false;
  #leave: (() => void) | undefined;
  #letGo: (() => void) | undefined;
  #upstream: ClientRequest | undefined;

  /** @param onUnsent the connection broke before a byte of the request was on it; this attempt is over */
  constructor(exchange: Exchange, backend: Backend, onUnsent: () => void) {
    this.#exchange = exchange;
    this.#backend = backend;
    this.#onUnsent = onUnsent;
  }

  enter(): void {
    this.#exchange.outgoing.once('close', this.#end);
    this.#leave = this.#backend.enter({ begin: () => queueMicrotask(this.#begin), lose: this.#fail });
  }

  readonly #begin = (): void => {
    if (this.#over) return;
    const begun = performance.now();
    const timeoutMs = this.#exchange.timeoutAfter(begun - this.#entered);
    if (timeoutMs !== undefined && timeoutMs <= 0) {
      this.#end();
      this.#exchange.answer(503, `the deadline passed while the request waited for pod ${this.#backend.name}`);
      return;
    }
    this.#upstream = this.#exchange.forward(this.#backend, timeoutMs, {
      unsent: () => {
        if (this.#over) return;
        this.#end();
        this.#onUnsent();
      },
      broken: this.#fail,
      answered: (answer) => this.#hold(answer, this.#backend.serviceMs - (performance.now() - begun)),
    });
  };

  #hold(answer: IncomingMessage, leftMs: number): void {
    if (leftMs <= 0) {
      this.#pipe(answer);
      return;
    }
    const letGo = this.#backend.hold();
    const timer = setTimeout(() => {
      this.#letGo?.();
      this.#letGo = undefined;
      this.#pipe(answer);
    }, leftMs);
    this.#letGo = () => {
      clearTimeout(timer);
      letGo();
    };
  }

  #pipe(answer: IncomingMessage): void {
    if (this.#over) return;
    this.#backend.answered += 1;
    this.#exchange.pipe(answer, this.#fail);
  }

  readonly #fail = (): void => {
    if (this.#over) return;
    this.#backend.broken += 1;
    this.#end();
    this.#exchange.answer(502, `the connection to pod ${this.#backend.name} broke`);
  };

  readonly #end = (): void => {
    if (this.#over) return;
    this.#over = true;
    this.#exchange.outgoing.off('close', this.#end);
    this.#letGo?.();
    this.#leave?.();
    this.#upstream?.destroy();
  };
}
