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

  begin(): void {
    this.#advance();
    this.#count += 1;
  }

  end(): void {
    this.#advance();
    this.#count -= 1;
  }

  /** Request-seconds until now. */
  total(): number {
    this.#advance();
    return this.#integral;
  }

  #advance(): void {
    const now = this.#seconds();
    this.#integral += this.#count * (now - this.#since);
    this.#since = now;
  }
}
