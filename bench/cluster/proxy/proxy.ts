import { createServer, type Server } from 'node:http';
import { Backend, type BackendStats } from './backend.ts';
import { leastConnections } from './balance.ts';
import type { Capacity } from './capacity.ts';
import { Exchange } from './exchange.ts';
import type { Holding, HoldingStats } from './holding.ts';
import { Passage } from './passage.ts';

export interface ProxyStats {
  /** By pod, those that are no longer sent anything included. */
  pods: Readonly<Record<string, BackendStats>>;
  /** Requests that were sent to another pod, as the connection to the first broke before any of their bytes were on it. */
  retried: number;
  /** Requests that came while no pod was ready, and were not held. */
  unserved: number;
  /** Absent where none are held. */
  holding?: HoldingStats;
}

/**
 * A proxy in front of pods that gives each request to the pod with the fewest under way. Bodies are streamed both ways, connections are kept.
 * A request whose bytes were on their way to a pod is never sent again: whether it was carried out cannot be known. The header
 * `kedge-timeout-ms` goes on less what declared capacity took of it.
 */
export class LeastConnectionsProxy {
  readonly server: Server;
  readonly #capacity: Capacity | undefined;
  readonly #holding: Holding | undefined;
  readonly #backends = new Map<string, Backend>();
  /** Names that are sent requests. */
  readonly #ready = new Set<string>();
  #turn = 0;
  #retried = 0;
  #unserved = 0;

  /**
   * @param capacity of each pod; unlimited if undefined
   * @param holding has requests that come while no pod is ready; they are refused if undefined
   */
  constructor(capacity?: Capacity, holding?: Holding) {
    this.#capacity = capacity;
    this.#holding = holding;
    this.server = createServer({ keepAliveTimeout: 120_000, requestTimeout: 0 }, (incoming, outgoing) =>
      this.#choose(new Exchange(incoming, outgoing)),
    );
  }

  /** Has a pod be sent requests. */
  add(name: string, port: number): void {
    if (!this.#backends.has(name)) this.#backends.set(name, new Backend(name, port, this.#capacity));
    this.#ready.add(name);
    this.#holding?.release();
  }

  /** Sends nothing more to a pod; what it has goes on. */
  remove(name: string): void {
    this.#ready.delete(name);
  }

  /** Forgets a pod that is gone out of order. What it had is broken. */
  lose(name: string): void {
    this.#ready.delete(name);
    this.#backends.get(name)?.lose();
  }

  stats(): ProxyStats {
    const pods = Object.fromEntries([...this.#backends].map(([name, backend]) => [name, backend.stats()]));
    const holding = this.#holding?.stats();
    return { pods, retried: this.#retried, unserved: this.#unserved, ...(holding && { holding }) };
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
    for (const backend of this.#backends.values()) backend.close();
  }

  #choose(exchange: Exchange): void {
    const ready = [...this.#ready].map((name) => this.#backends.get(name)!);
    const backend = leastConnections(
      ready.filter((one) => !exchange.refusedBy.has(one)),
      this.#turn,
    );
    this.#turn += 1;
    if (backend) new Passage(exchange, backend, () => this.#retry(exchange, backend)).enter();
    else if (this.#holding && ready.length === 0) this.#holding.hold(exchange, () => this.#choose(exchange));
    else {
      this.#unserved += 1;
      exchange.answer(503, ready.length === 0 ? 'no pod is ready' : 'no pod takes a connection');
    }
  }

  #retry(exchange: Exchange, backend: Backend): void {
    this.#retried += 1;
    exchange.refusedBy.add(backend);
    this.#choose(exchange);
  }
}
