import type { Pod } from './pods.ts';

/** How long pods of a simulated Deployment take, in seconds. */
export interface PodTimes {
  /** From creation to phase Running. */
  running: number;
  /** From Running to ready. */
  ready: number;
  /** From deletion until it is gone. */
  drain: number;
}

interface Cohort {
  name: string;
  many: number;
  createdAt: number;
}

/**
 * The pods of a simulated Deployment, in cohorts of those that were created together, so that thousands cost no more than a few. Going down takes
 * those that are not ready first, then the youngest, as the ReplicaSet's controller does.
 */
export class Fleet {
  readonly #times: PodTimes;
  /** Oldest first. */
  #cohorts: Cohort[] = [];
  #draining: (Cohort & { goneAt: number })[] = [];
  #created = 0;

  /** @param replicas pods that have been ready for `age` seconds at `now` */
  constructor(times: PodTimes, { replicas, age, now }: { replicas: number; age: number; now: number }) {
    this.#times = times;
    this.#create(replicas, now - age - times.running - times.ready);
  }

  scale(replicas: number, now: number): void {
    const change = replicas - this.replicas;
    if (change > 0) this.#create(change, now);
    // Ready later is created later, so the youngest first takes those that are not ready first.
    for (let left = -change; left > 0; ) {
      const youngest = this.#cohorts.at(-1)!;
      const many = Math.min(left, youngest.many);
      this.#drain({ ...youngest, many }, now);
      youngest.many -= many;
      left -= many;
      if (youngest.many === 0) this.#cohorts.pop();
    }
  }

  /** `status.replicas`: pods that are not being deleted. */
  get replicas(): number {
    return this.#cohorts.reduce((total, { many }) => total + many, 0);
  }

  /** Those that take load: ready, and not being deleted. */
  ready(now: number): number {
    return this.#cohorts.reduce((total, cohort) => (this.#isReady(cohort, now) ? total + cohort.many : total), 0);
  }

  draining(now: number): number {
    return this.#draining.reduce((total, { many, goneAt }) => (goneAt > now ? total + many : total), 0);
  }

  /** As the controller lists them, those being deleted too. */
  pods(now: number): Pod[] {
    this.#draining = this.#draining.filter(({ goneAt }) => goneAt > now);
    const live = this.#cohorts.map((cohort) => this.#pod(cohort, now, false));
    return [...live, ...this.#draining.map((cohort) => this.#pod(cohort, now, true))];
  }

  #drain(cohort: Cohort, now: number): void {
    // What has not started has nothing to end.
    if (!this.#isRunning(cohort, now)) return;
    const name = `${cohort.name}-until-${now + this.#times.drain}`;
    this.#draining.push({ ...cohort, name, goneAt: now + this.#times.drain });
  }

  #create(many: number, createdAt: number): void {
    if (many === 0) return;
    this.#cohorts.push({ name: `p${this.#created}`, many, createdAt });
    this.#created += 1;
  }

  #pod(cohort: Cohort, now: number, deleting: boolean): Pod {
    const startedAt = cohort.createdAt + this.#times.running;
    const running = this.#isRunning(cohort, now);
    const ready = this.#isReady(cohort, now);
    return {
      name: cohort.name,
      many: cohort.many,
      phase: running ? 'Running' : 'Pending',
      deleting,
      ready,
      startAge: running ? now - startedAt : undefined,
      lastTransitionAge: now - (ready ? startedAt + this.#times.ready : running ? startedAt : cohort.createdAt),
    };
  }

  #isRunning({ createdAt }: Cohort, now: number): boolean {
    return now >= createdAt + this.#times.running;
  }

  #isReady({ createdAt }: Cohort, now: number): boolean {
    return now >= createdAt + this.#times.running + this.#times.ready;
  }
}
