import { describe, expect, it } from 'vitest';
import { KedgeError } from '../../contract/errors.ts';
import type { Tensors } from '../../contract/tensor.ts';
import { applyParameters } from '../api/queue-parameters.ts';
import { ClientGone } from './client-gone.ts';
import { Gate, type Gated, type GateOptions } from './gate.ts';
import { HIGH, NORMAL, type Ticket } from './ticket.ts';
import { LoopTurns } from './turns.ts';

const version = (model: string, engine: 'inline' | 'host' = 'inline'): Gated => ({
  model,
  version: 1,
  digest: `sha256:${model}`,
  placement: { engine, reason: '' },
  merging: undefined,
  signature: { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1] }], outputs: [] },
});
const rows = (count: number): Tensors =>
  new Map([['x', { datatype: 'FP32', shape: [count, 1], data: new Float32Array(count) }]]);

/** A gate on a clock that the test moves. */
class Bench {
  now = 1_000;
  readonly gate: Gate;
  constructor(options: Partial<GateOptions> = {}) {
    const limits = { queueRows: 100, queueBytes: 1_000, queueMs: 10_000, maxRows: 1_000 };
    // Each request has a turn of the loop to itself.
    const turns = new LoopTurns((call) => call());
    this.gate = new Gate({ ...limits, deadlineMs: () => undefined, ...options }, turns);
  }
  ask(model: Gated, timeout?: string, waiter = { destroyed: false }): Ticket {
    const ticket = this.gate.ask(waiter, model.model, timeout, this.now);
    this.gate.check(ticket, model, this.now);
    return ticket;
  }
  enter(model: Gated, count = 1, timeout?: string, parameters?: object): Ticket {
    const ticket = this.ask(model, timeout);
    applyParameters(ticket, parameters);
    this.gate.enter(ticket, model, rows(count), this.now);
    return ticket;
  }
  /** Ends it after a run of that many milliseconds. */
  leave(ticket: Ticket, computeMs: number): void {
    this.now += computeMs;
    ticket.onRun({ queueMs: 0, computeMs, rows: ticket.rows, requests: 1 });
    this.gate.leave(ticket, this.now);
  }
  turnedAway(model: Gated): Record<string, number> {
    const [queue] = [...this.gate.queues()].filter((one) => one.model === model.model);
    return Object.fromEntries(Object.entries(queue!.turnedAway).filter(([, count]) => count > 0));
  }
}

const M = version('m');
const refusal = (act: () => unknown): KedgeError => {
  try {
    act();
  } catch (error) {
    if (error instanceof KedgeError) return error;
  }
  throw new Error('nothing was refused');
};

describe('what is admitted', () => {
  it('costs what runs of late did, and no more is taken than can end in time', () => {
    const bench = new Bench();
    bench.leave(bench.enter(M, 10), 100);
    const first = bench.enter(M, 4, '50');
    expect(first.timeoutMs).toBe(50);
    const error = refusal(() => bench.enter(M, 2, '50'));
    expect([error.code, error.details]).toEqual(['overloaded', { reason: 'deadline', retryAfter: 1 }]);
    bench.enter(M, 1, '50');
    expect(bench.turnedAway(M)).toEqual({ deadline: 1 });
  });

  it('is refused before its body where one row would be too much', () => {
    const bench = new Bench();
    bench.leave(bench.enter(M, 1), 100);
    bench.enter(M, 1);
    expect(refusal(() => bench.ask(M, '50')).code).toBe('overloaded');
  });

  it('is tried again by one request once what was known of its cost is old', () => {
    const bench = new Bench();
    bench.leave(bench.enter(M, 1), 100);
    expect(refusal(() => bench.enter(M, 1, '50')).details['reason']).toBe('deadline');
    bench.now += 1_001;
    const probe = bench.enter(M, 1, '50');
    expect(refusal(() => bench.enter(M, 1, '50')).details['reason']).toBe('deadline');
    for (let run = 0; run < 4; run += 1) bench.leave(run === 0 ? probe : bench.enter(M, 1), 1);
    bench.enter(M, 1, '50');
  });

  it('is bounded in rows and bytes, and takes an only one of any size', () => {
    const bench = new Bench();
    const large = bench.enter(M, 101);
    expect(refusal(() => bench.enter(M, 1)).details['reason']).toBe('rows');
    bench.gate.leave(large, bench.now);
    const [heavy, other] = [bench.ask(M), bench.ask(version('other'))];
    bench.gate.take(heavy, M, 2_000);
    expect(refusal(() => bench.gate.take(other, version('other'), 1)).details['reason']).toBe('bytes');
    bench.gate.bytes.release(heavy);
    bench.gate.take(other, version('other'), 1);
    expect([bench.turnedAway(M), bench.turnedAway(version('other'))]).toEqual([{ rows: 1 }, { bytes: 1 }]);
  });

  it('waits behind high priorities alone, if it has one', () => {
    const bench = new Bench();
    bench.leave(bench.enter(M, 1), 10);
    bench.enter(M, 6);
    expect(refusal(() => bench.enter(M, 1, '50')).details['reason']).toBe('deadline');
    // Its head was judged before its parameters were known: there is no header, so nothing was refused by time.
    const high = bench.enter(M, 2, undefined, { priority: 1, timeout: 50_000 });
    expect([high.priority, high.timeoutMs]).toEqual([HIGH, 50]);
    expect(refusal(() => bench.enter(M, 4, undefined, { priority: 1, timeout: 50_000 })).code).toBe('overloaded');
  });

  it('shares the loop with others there, and a host with nobody', () => {
    const bench = new Bench();
    const [other, host] = [version('other'), version('host', 'host')];
    for (const one of [M, other, host]) bench.leave(bench.enter(one, 1), 10);
    bench.enter(other, 90);
    expect(refusal(() => bench.enter(M, 3, '50')).code).toBe('overloaded');
    bench.enter(M, 2, '50');
    bench.enter(host, 5, '50');
  });

  it('is not held up by a large one that is run in parts', () => {
    for (const merges of [true, false]) {
      const bench = new Bench({ queueRows: 5_000 });
      const one: Gated = { ...M, merging: { merges, because: '' } };
      bench.leave(bench.enter(one, 10), 10);
      bench.enter(one, 1_000);
      if (merges) bench.enter(one, 1, undefined, { timeout: 50_000 });
      else expect(refusal(() => bench.enter(one, 1, undefined, { timeout: 50_000 })).code).toBe('overloaded');
    }
  });

  it('has the time that its model has if it does not say', () => {
    const bench = new Bench({ deadlineMs: (model) => (model === 'm' ? 50 : undefined) });
    expect([bench.enter(M).timeoutMs, bench.enter(version('other')).timeoutMs]).toEqual([50, undefined]);
  });

  it('may have so many rows and no more', () =>
    expect(refusal(() => new Bench().enter(M, 1_001)).code).toBe('request-invalid'));

  it('has as many rows as its longest input, whichever comes first', () => {
    const spec = (name: string) => ({ name, datatype: 'FP32' as const, shape: [-1] });
    const two: Gated = { ...M, signature: { inputs: [spec('a'), spec('b')], outputs: [] } };
    const of = (count: number) => ({ datatype: 'FP32' as const, shape: [count], data: new Float32Array(count) });
    for (const order of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      const { gate, now } = new Bench();
      const inputs: Tensors = new Map(order.map((name) => [name, of(name === 'a' ? 1 : 1_001)]));
      const error = refusal(() => gate.enter(gate.ask({ destroyed: false }, 'm', undefined, now), two, inputs, now));
      expect(error.message).toMatch(/^The request has 1001 rows/);
    }
  });
});

describe('what ends unanswered is counted', () => {
  it.each<[string, { destroyed: boolean }, unknown, object]>([
    ['a client that went away while it waited', { destroyed: true }, new ClientGone(), { cancelled: 1 }],
    ['a client that went away while it ran', { destroyed: true }, undefined, { cancelled: 1 }],
    ['time that is over', { destroyed: false }, new KedgeError('engine-timeout', ''), { expired: 1 }],
    ['time that the engine found too short', { destroyed: false }, new KedgeError('overloaded', ''), { deadline: 1 }],
    ['no failure of the engine', { destroyed: false }, new KedgeError('engine-failed', ''), {}],
  ])('%s', (_title, waiter, error, expected) => {
    const bench = new Bench();
    const ticket = bench.ask(M, '50', waiter);
    bench.gate.enter(ticket, M, rows(1), bench.now);
    expect(ticket.signal.aborted).toBe(waiter.destroyed);
    bench.gate.leave(ticket, bench.now + 50, error);
    expect(bench.turnedAway(M)).toEqual(expected);
    expect([...bench.gate.queues()].map((queue) => [queue.requests, queue.rows])).toEqual([[0, 0]]);
  });
});

describe('parameters', () => {
  it.each<[string, string | undefined, unknown, number | undefined, number]>([
    ['none', undefined, undefined, undefined, NORMAL],
    ['time in microseconds', undefined, { timeout: 1_500 }, 1.5, NORMAL],
    ['no limit', undefined, { timeout: 0 }, undefined, NORMAL],
    ['the shorter of two', '20', { timeout: 50_000 }, 20, NORMAL],
    ['the shorter of two, the other way', '80', { timeout: 50_000 }, 50, NORMAL],
    ['a long integer', undefined, { timeout: 2n ** 60n }, Number.MAX_SAFE_INTEGER / 1_000, NORMAL],
    ['the high priority', undefined, { priority: 1 }, undefined, HIGH],
    ['others', undefined, { priority: 7 }, undefined, NORMAL],
    ['the default one', undefined, { priority: 0 }, undefined, NORMAL],
  ])('%s', (_title, header, parameters, budgetMs, priority) => {
    const ticket = new Bench().ask(M, header);
    applyParameters(ticket, parameters);
    expect([ticket.budgetMs, ticket.priority]).toEqual([budgetMs, priority]);
  });

  it.each([{ timeout: -1 }, { timeout: 1.5 }, { timeout: 'soon' }, { priority: [] }])('refuses %j', (parameters) =>
    expect(refusal(() => applyParameters(new Bench().ask(M), parameters)).code).toBe('request-invalid'),
  );
  it.each(['', '0', '-5', 'soon', '1e3'])('refuses the header %j', (header) =>
    expect(refusal(() => new Bench().ask(M, header)).code).toBe('request-invalid'),
  );
});
