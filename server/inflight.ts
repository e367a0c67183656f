/**
 * Requests under way, and the integral of their number over time in request-seconds: its rate is the true average
 * concurrency, which is what autoscaling wants (Knative's `networking/pkg/http/stats/request.go` does the same).
 */
export class Inflight {
  readonly #seconds: () => number;
  #count = 0;
  #integral = 0;
  #since: number;

  /** @param seconds a clock that never goes back */
  constructor(seconds: () => number) {
    this.#seconds = seconds;
    this.#since = seconds();
  }

  get count(): number {
    return this.#count;
  }

  /** @param now on the clock, for who has just read it */
  begin(now = this.#seconds()): void {
    this.#advance(now);
    this.#count += 1;
  }

  end(now = this.#seconds()): void {
    this.#advance(now);
    this.#count -= 1;
  }

  /** Request-seconds until now. */
  total(): number {
    this.#advance(this.#seconds());
    return this.#integral;
  }

  #advance(now: number): void {
    this.#integral += this.#count * (now - this.#since);
    this.#since = now;
  }
}
