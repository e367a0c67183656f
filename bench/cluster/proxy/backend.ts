import { Agent } from 'node:http';
import { Inflight } from '../../../server/inflight.ts';
import { type Capacity, CapacityQueue } from './capacity.ts';

/** A pod as the proxy knows it. */
export interface BackendStats {
  /** Requests of it that are under way. */
  open: number;
  /** Those of them that declared capacity holds back now: not yet sent to the pod, or answered by it. */
  held: number;
  /** Request-seconds that declared capacity held requests back, before they were sent to the pod and after it had answered. */
  heldSeconds: number;
  /** Requests that got its answer. */
  answered: number;
  /** Requests that did not: the connection broke, or the pod was gone. */
  broken: number;
}

/** A request that a backend has. */
interface Passage {
  /** It may be sent to the pod. */
  begin(): void;
  /** The pod is gone. */
  lose(): void;
}

/** One pod behind the proxy: the requests that it has, its connections, and its queue where it has a declared capacity. */
export class Backend {
  readonly name: string;
  readonly port: number;
  readonly serviceMs: number;
  readonly agent = new Agent({ keepAlive: true });
  readonly #passages = new Set<Passage>();
  readonly #queue: CapacityQueue;
  readonly #held = new Inflight(() => performance.now() / 1_000);
  #timer: NodeJS.Timeout | undefined;
  answered = 0;
  broken = 0;

  constructor(name: string, port: number, capacity: Capacity | undefined) {
    this.name = name;
    this.port = port;
    this.#queue = new CapacityQueue(capacity);
    this.serviceMs = capacity && 'slots' in capacity ? capacity.serviceMs : 0;
  }

  get open(): number {
    return this.#passages.size;
  }

  stats(): BackendStats {
    const { open, answered, broken } = this;
    return { open, held: this.#held.count, heldSeconds: this.#held.total(), answered, broken };
  }

  /** Has a request wait for its turn. @returns to be called once, when the request is over */
  enter(passage: Passage): () => void {
    let waits = true;
    const start = (): void => {
      waits = false;
      this.#held.end();
      passage.begin();
    };
    this.#passages.add(passage);
    this.#held.begin();
    this.#queue.enter(start);
    this.#advance();
    return () => {
      this.#passages.delete(passage);
      if (waits) this.#held.end();
      this.#queue.leave(start);
      this.#advance();
    };
  }

  /** Holds an answer back. @returns to be called once, when it is let go */
  hold(): () => void {
    this.#held.begin();
    return () => this.#held.end();
  }

  /** The pod is gone, and with it all that it had, whether it waited for its turn or not: in a real pod it would have waited inside. */
  lose(): void {
    for (const { lose } of [...this.#passages]) lose();
    this.close();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.agent.destroy();
  }

  #advance(): void {
    clearTimeout(this.#timer);
    const waitMs = this.#queue.advance(performance.now());
    if (waitMs !== undefined) this.#timer = setTimeout(() => this.#advance(), waitMs);
  }
}
