import { describe, expect, it } from 'vitest';
import { KedgeError } from '../contract/errors.ts';
import type { Signature } from '../contract/signature.ts';
import type { Tensors } from '../contract/tensor.ts';
import type { Clock } from '../platform/clock.ts';
import { BATCH_LIMITS, Batcher, type BatcherOptions } from './batcher.ts';
import type { RunTimes } from './engine.ts';
import { elements, tensor } from './testing/versions.ts';
import { FairTurns } from './turns.ts';

const signature: Signature = {
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [-1, 2] },
    { name: 'text', datatype: 'BYTES', shape: [-1] },
    { name: 'scale', datatype: 'FP32', shape: [1], optional: true },
  ],
  outputs: [
    { name: 'sum', datatype: 'FP32', shape: [-1] },
    { name: 'text', datatype: 'BYTES', shape: [-1] },
  ],
};
const OUTPUTS = ['sum', 'text'];

/** Runs may take as long as a busy machine likes. */
const UNHURRIED = 1e9;

/** Manual time: sleeps end when a test says so. */
class StillClock implements Clock {
  time = 0;
  readonly sleeps: { ms: number; end: () => void }[] = [];
  now(): number {
    return this.time;
  }
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.sleeps.push({ ms, end: resolve }));
  }
}

function start(options: Partial<Omit<BatcherOptions, 'limits'>> & { limits?: Partial<BatcherOptions['limits']> } = {}) {
  const runs: { rows: number; inputs: Tensors; outputs: readonly string[] }[] = [];
  const clock = new StillClock();
  const turns = new FairTurns({ sliceMs: 5 });
  const state: { answer?: (inputs: Tensors) => Promise<Tensors> } = {};
  const batcher = new Batcher(
    {
      shapes: { inputs: [], outputs: [] },
      run: async (inputs, outputs) => {
        runs.push({ rows: inputs.get('x')!.shape[0]!, inputs, outputs });
        return state.answer ? state.answer(inputs) : sums(inputs, outputs);
      },
      release: () => Promise.resolve(),
    },
    {
      name: 'made/1',
      signature,
      merges: true,
      turns: () => turns,
      clock,
      parallel: 4,
      ...options,
      limits: { ...BATCH_LIMITS, ...options.limits },
    },
  );
  return { batcher, runs, clock, state };
}

/** What the model of these tests answers: of each row its sum, and its text. A row with a sum below zero is refused. */
function sums(inputs: Tensors, outputs: readonly string[]): Tensors {
  const x = inputs.get('x')!.data as Float32Array;
  const rows = inputs.get('x')!.shape[0]!;
  const data = Float32Array.from({ length: rows }, (_, row) => x[2 * row]! + x[2 * row + 1]!);
  if (data.some((sum) => sum < 0)) throw new KedgeError('request-invalid', 'A sum is below zero.');
  const all: Tensors = new Map([
    ['sum', { datatype: 'FP32', shape: [rows], data }],
    ['text', inputs.get('text')!],
  ]);
  return new Map(outputs.map((name) => [name, all.get(name)!]));
}

function request(...pairs: [number, number][]): Tensors {
  return new Map([
    ['x', tensor('FP32', [pairs.length, 2], pairs.flat())],
    ['text', tensor('BYTES', [pairs.length], pairs.map(String))],
  ]);
}

describe('what came in one turn of the loop', () => {
  it('is one run, and each gets its own rows', async () => {
    const { batcher, runs } = start();
    const answers = await Promise.all([
      batcher.run(request([1, 2]), OUTPUTS),
      batcher.run(request([3, 4], [5, 6]), OUTPUTS),
      batcher.run(request([7, 8]), OUTPUTS),
    ]);
    expect(runs.map(({ rows }) => rows)).toEqual([4]);
    expect(answers.map((answer) => elements(answer, 'sum'))).toEqual([[3], [7, 11], [15]]);
    expect(answers.map((answer) => elements(answer, 'text'))).toEqual([['1,2'], ['3,4', '5,6'], ['7,8']]);
    expect(answers.map((answer) => answer.get('sum')!.shape)).toEqual([[1], [2], [1]]);
  });

  it('and in later ones is another run', async () => {
    const { batcher, runs } = start();
    await batcher.run(request([1, 2]), OUTPUTS);
    await batcher.run(request([1, 2]), OUTPUTS);
    expect(runs.map(({ rows }) => rows)).toEqual([1, 1]);
  });

  it('stays apart where other outputs are wanted', async () => {
    const { batcher, runs } = start();
    const [all, some, reversed] = await Promise.all([
      batcher.run(request([1, 2]), OUTPUTS),
      batcher.run(request([3, 4]), ['sum']),
      batcher.run(request([5, 6]), ['text', 'sum']),
    ]);
    expect(runs.map(({ outputs }) => outputs)).toEqual([OUTPUTS, ['sum'], ['text', 'sum']]);
    expect([[...all.keys()], [...some.keys()], [...reversed.keys()]]).toEqual([OUTPUTS, ['sum'], ['text', 'sum']]);
  });

  it('stays apart where an input without rows is given', async () => {
    const { batcher, runs } = start();
    const scaled = new Map([...request([3, 4]), ['scale', tensor('FP32', [1], [2])] as const]);
    await Promise.all([
      batcher.run(request([1, 2]), OUTPUTS),
      batcher.run(scaled, OUTPUTS),
      batcher.run(request([5, 6]), OUTPUTS),
    ]);
    expect(runs.map(({ rows, inputs }) => [rows, inputs.has('scale')])).toEqual([
      [2, false],
      [1, true],
    ]);
  });

  it('stays apart where the inputs of a request have different numbers of rows', async () => {
    const { batcher, runs } = start();
    const odd = new Map([...request([1, 2], [3, 4]), ['text', tensor('BYTES', [1], ['a'])] as const]);
    await Promise.all([batcher.run(odd, ['sum']), batcher.run(request([5, 6]), ['sum'])]);
    expect(runs.map(({ rows }) => rows)).toEqual([2, 1]);
  });

  it('stays apart where a model may not be merged', async () => {
    const { batcher, runs } = start({ merges: false });
    await Promise.all([1, 2, 3].map((value) => batcher.run(request([value, value]), OUTPUTS)));
    expect(runs.map(({ rows }) => rows)).toEqual([1, 1, 1]);
  });

  it('is cut at the most rows, and at the most bytes', async () => {
    const byRows = start({ limits: { maxRows: 3 } });
    await Promise.all(Array.from({ length: 8 }, () => byRows.batcher.run(request([1, 2]), OUTPUTS)));
    expect(Math.max(...byRows.runs.map(({ rows }) => rows))).toBe(3);
    const byBytes = start({ limits: { maxBytes: 60 } });
    await Promise.all(Array.from({ length: 4 }, () => byBytes.batcher.run(request([1, 2]), OUTPUTS)));
    expect(byBytes.runs.map(({ rows }) => rows)).toEqual([2, 2]);
  });
});

describe('a request with more rows than a run may have', () => {
  const large = (rows: number): Tensors =>
    request(...Array.from({ length: rows }, (_, row): [number, number] => [row, 1]));

  it('is run in parts, between which others have their turns', async () => {
    const { batcher, runs } = start({ limits: { maxRunMs: UNHURRIED } });
    const times: RunTimes[] = [];
    const [all, one] = await Promise.all([
      batcher.run(large(40), OUTPUTS, { onRun: (run) => void times.push(run) }),
      batcher.run(request([1, 2]), OUTPUTS),
    ]);
    expect(runs.map(({ rows }) => rows)).toEqual([16, 1, 24]);
    expect([elements(all, 'sum'), elements(all, 'text')]).toEqual([
      Array.from({ length: 40 }, (_, row) => row + 1),
      Array.from({ length: 40 }, (_, row) => `${row},1`),
    ]);
    expect([all.get('sum')!.shape, all.get('text')!.shape, elements(one, 'sum')]).toEqual([[40], [40], [3]]);
    expect(times).toEqual([{ queueMs: expect.any(Number), computeMs: expect.any(Number), rows: 40, requests: 1 }]);
    await batcher.idle();
    expect(batcher.work).toMatchObject({ requests: 0, rows: 0, runs: 0 });
  });

  it('leaves the rest where its time is over or its client is gone', async () => {
    for (const end of ['late', 'gone']) {
      const { batcher, runs, clock, state } = start({ limits: { maxRunMs: UNHURRIED } });
      const gone = new AbortController();
      state.answer = (inputs) => {
        if (runs.length === 2 && end === 'late') clock.time = 10;
        else if (runs.length === 2) gone.abort(new Error('gone'));
        return Promise.resolve(sums(inputs, OUTPUTS));
      };
      const answer = batcher.run(large(90), OUTPUTS, { timeoutMs: 10, signal: gone.signal });
      await expect(answer).rejects.toThrow(end === 'late' ? 'did not answer within 10 ms' : 'gone');
      expect(runs.map(({ rows }) => rows)).toEqual([16, 32]);
      await batcher.idle();
    }
  });

  it('fails with the part that fails', async () => {
    const { batcher, runs } = start({ limits: { maxRunMs: UNHURRIED } });
    const answer = batcher.run(request(...new Array(20).fill([1, 1]), [-9, 1], ...new Array(40).fill([1, 1])), OUTPUTS);
    await expect(answer).rejects.toThrow('A sum is below zero.');
    expect(runs.map(({ rows }) => rows)).toEqual([16, 32]);
  });

  it('is run in one piece where a part has other rows than it should', async () => {
    const { batcher, runs, state } = start({ limits: { maxRunMs: UNHURRIED } });
    state.answer = () => Promise.resolve(new Map([['sum', tensor('FP32', [1], [0])]]));
    expect(elements(await batcher.run(large(20), ['sum']), 'sum')).toEqual([0]);
    expect(runs.map(({ rows }) => rows)).toEqual([16, 20]);
    expect(batcher.forbidden).toMatch(/other rows/);
  });

  it('is not taken on the loop where it cannot be cut into parts', async () => {
    const { batcher, runs } = start({ limits: { maxRows: 4, maxRunMs: UNHURRIED }, boundsPieces: true });
    const unequal = (rows: number) => new Map([...large(rows), ['text', tensor('BYTES', [1], ['a'])] as const]);
    await expect(batcher.run(unequal(5), ['sum'])).rejects.toMatchObject({
      code: 'request-invalid',
      message: expect.stringMatching(/at most 4 rows: give every input the same number/),
    });
    await batcher.run(unequal(4), ['sum']);
    await batcher.run(large(20), ['sum']);
    expect(runs.map(({ rows }) => rows)).toEqual([4, 16, 4]);
  });
});

describe('a merged run that fails', () => {
  it('is run again one by one, so that the guilty one fails alone', async () => {
    const { batcher, runs } = start();
    const answers = await Promise.allSettled([
      batcher.run(request([1, 2]), OUTPUTS),
      batcher.run(request([-9, 2]), OUTPUTS),
      batcher.run(request([3, 4]), OUTPUTS),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(answers[1]).toMatchObject({ reason: { code: 'request-invalid', message: 'A sum is below zero.' } });
    expect(runs.map(({ rows }) => rows)).toEqual([3, 1, 1, 1]);
  });

  it('with other rows than asked is never merged again', async () => {
    const { batcher, runs, state } = start();
    const one = tensor('FP32', [1], [0]);
    state.answer = () => Promise.resolve(new Map([['sum', one]]));
    const ask = () => Promise.all([batcher.run(request([1, 2]), ['sum']), batcher.run(request([3, 4]), ['sum'])]);
    expect(batcher.forbidden).toBeUndefined();
    await ask();
    await ask();
    expect(runs.map(({ rows }) => rows)).toEqual([2, 1, 1, 1, 1]);
    expect(batcher.forbidden).toMatch(/other rows/);
  });

  it('that ended its process is never merged again', async () => {
    const { batcher, runs, state } = start();
    state.answer = () => Promise.reject(new KedgeError('engine-crashed', 'It died.'));
    const ask = () =>
      Promise.allSettled([batcher.run(request([1, 2]), OUTPUTS), batcher.run(request([3, 4]), OUTPUTS)]);
    await ask();
    runs.length = 0;
    await ask();
    expect(runs.map(({ rows }) => rows)).toEqual([1, 1]);
    expect(batcher.forbidden).toMatch(/ended its process/);
  });
});

describe('while they wait', () => {
  it('those whose time is over or whose client is gone are not run', async () => {
    const { batcher, runs, clock } = start();
    const gone = new AbortController();
    const late = batcher.run(request([1, 2]), OUTPUTS, { timeoutMs: 5 });
    const left = batcher.run(request([1, 2]), OUTPUTS, { signal: gone.signal });
    const good = batcher.run(request([3, 4]), OUTPUTS, { timeoutMs: 50 });
    clock.time = 10;
    gone.abort(new Error('gone'));
    await expect(late).rejects.toMatchObject({ code: 'engine-timeout' });
    await expect(left).rejects.toThrow('gone');
    expect(elements(await good, 'sum')).toEqual([7]);
    expect(runs.map(({ rows }) => rows)).toEqual([1]);
  });

  it('those that could not end in time are not run, until what is known of the cost is old', async () => {
    const { batcher, runs, clock } = start({ limits: { maxRunMs: UNHURRIED } });
    const ask = () => batcher.run(request([1, 2], [3, 4]), OUTPUTS, { timeoutMs: 1e-6 });
    // The first two show what a row costs: more than there is time for.
    for (let run = 0; run < 2; run += 1) {
      await ask();
      await batcher.idle();
    }
    await expect(ask()).rejects.toMatchObject({ code: 'overloaded' });
    clock.time = 1_001;
    await Promise.all([ask(), batcher.run(request([5, 6]), OUTPUTS)]);
    expect(runs.map(({ rows }) => rows)).toEqual([2, 2, 3]);
  });

  it('higher priorities go first', async () => {
    const { batcher, runs } = start({ merges: false });
    await Promise.all([0, 2, 1, 2].map((priority, index) => batcher.run(request([index, 0]), ['sum'], { priority })));
    expect(runs.map(({ inputs }) => elements(inputs, 'x')[0])).toEqual([1, 3, 2, 0]);
  });

  it('they do so for company if told to, and no longer than that', async () => {
    const { batcher, runs, clock } = start({ limits: { waitMs: 4 } });
    const first = batcher.run(request([1, 2]), OUTPUTS);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(runs).toEqual([]);
    const second = batcher.run(request([3, 4]), OUTPUTS);
    expect(clock.sleeps.map(({ ms }) => ms)).toEqual([4]);
    clock.sleeps[0]!.end();
    await Promise.all([first, second]);
    expect(runs.map(({ rows }) => rows)).toEqual([2]);
  });

  it('they do so no longer than the one that has least time can', async () => {
    const { batcher, runs, clock } = start({ limits: { waitMs: 100 } });
    const calm = batcher.run(request([1, 2]), OUTPUTS);
    const hurried = batcher.run(request([3, 4]), OUTPUTS, { timeoutMs: 50 });
    expect(clock.sleeps.map(({ ms }) => ms)).toEqual([100, expect.closeTo(25, 0)]);
    clock.sleeps[1]!.end();
    await Promise.all([calm, hurried]);
    expect(runs.map(({ rows }) => rows)).toEqual([2]);
    await batcher.idle();
    // The wait that the hurried one cut short asks for nothing more.
    clock.sleeps[0]!.end();
    void batcher.run(request([5, 6]), OUTPUTS);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(runs.map(({ rows }) => rows)).toEqual([2]);
  });

  it('tells how long each waited and how many shared its run, and what a row costs', async () => {
    const { batcher } = start();
    const times: RunTimes[] = [];
    const onRun = (one: RunTimes): void => void times.push(one);
    const runs = [1, 2].map((value) => batcher.run(request([value, 0]), OUTPUTS, { onRun }));
    expect(batcher.work).toEqual({ requests: 2, rows: 2, runs: 0, rowMs: undefined });
    await Promise.all(runs);
    expect(times.map(({ rows, requests }) => [rows, requests])).toEqual([
      [2, 2],
      [2, 2],
    ]);
    for (const { queueMs, computeMs } of times) expect(Math.min(queueMs, computeMs)).toBeGreaterThanOrEqual(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(batcher.work).toEqual({ requests: 0, rows: 0, runs: 0, rowMs: expect.any(Number) });
  });
});
