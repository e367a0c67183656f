import { describe, expect, it } from 'vitest';
import { type BatchBounds, chooseBatch, type Waiting } from './batch-choice.ts';
import { Parts } from './parts.ts';
import { tensor } from './testing/versions.ts';

const BOUNDS: BatchBounds = {
  now: 0,
  merges: true,
  maxRows: 8,
  maxPartRows: 10,
  maxBytes: 1_000,
  maxPieceRows: Number.POSITIVE_INFINITY,
  rowMs: undefined,
};

function waiting(rows: number, part: Partial<Waiting> = {}): Waiting {
  return {
    inputs: new Map(),
    outputs: [],
    rows,
    mergeable: true,
    key: '',
    bytes: rows,
    since: 0,
    deadline: Number.POSITIVE_INFINITY,
    options: {},
    resolve: () => undefined,
    reject: () => undefined,
    ...part,
  };
}

/** Of 20 rows, 6 of which are left. */
function begun(): Waiting {
  const parts = new Parts(new Map([['x', tensor('FP32', [20], new Array(20).fill(0))]]), 20);
  parts.add(parts.next(14), 14);
  return waiting(20, { parts });
}

describe('the next run has', () => {
  it.each<[string, Waiting[], Partial<BatchBounds>, number[], number, boolean]>([
    ['nothing where nothing waits', [], {}, [], 0, false],
    ['all that fit', [waiting(1), waiting(3), waiting(2)], {}, [0, 1, 2], 6, false],
    ['no more rows than it may', [waiting(5), waiting(4), waiting(3)], {}, [0, 2], 8, false],
    ['no more bytes than it may', [waiting(1, { bytes: 600 }), waiting(1, { bytes: 600 })], {}, [0], 1, false],
    ['what looks like the first', [waiting(1), waiting(1, { key: 'b' }), waiting(1)], {}, [0, 2], 2, false],
    ['the first alone where it is not mergeable', [waiting(1, { mergeable: false }), waiting(1)], {}, [0], 1, false],
    ['mergeable ones alone', [waiting(1), waiting(1, { mergeable: false }), waiting(1)], {}, [0, 2], 2, false],
    ['the first alone where nothing is merged', [waiting(30), waiting(1)], { merges: false }, [0], 30, false],
    ['a part of what is too large', [waiting(30), waiting(1)], {}, [0], 10, true],
    ['a smaller part where its rows are large', [waiting(30, { bytes: 6_000 })], {}, [0], 5, true],
    ['a row of it at least', [waiting(30, { bytes: 60_000 })], {}, [0], 1, true],
    ['all rows of what is not that large', [waiting(10), waiting(1)], {}, [0], 10, false],
    ['no part beside others', [waiting(1), waiting(30), waiting(1)], {}, [0, 2], 2, false],
    ['the last part alone', [begun(), waiting(1)], {}, [0], 6, true],
    ['all rows again where parts are no more', [begun(), waiting(1)], { merges: false }, [0], 20, false],
    ['all rows of what cannot be cut', [waiting(30, { mergeable: false })], {}, [0], 30, false],
    [
      'no more rows than end in the time of the first',
      [waiting(1, { deadline: 5 }), waiting(3), waiting(2)],
      { rowMs: 1.5 },
      [0, 2],
      3,
      false,
    ],
    [
      'nobody whose time ends within the run',
      [waiting(3), waiting(1, { deadline: 5 }), waiting(1)],
      { rowMs: 1.5 },
      [0, 2],
      4,
      false,
    ],
    [
      'all where nobody knows what a row costs',
      [waiting(3, { deadline: 1 }), waiting(1, { deadline: 1 })],
      {},
      [0, 1],
      4,
      false,
    ],
    [
      'a part that may end late where all of its rows may',
      [waiting(30, { deadline: 60 }), waiting(1)],
      { rowMs: 2 },
      [0],
      10,
      true,
    ],
  ])('%s', (_title, requests, bounds, chosen, rows, isPart) => {
    const { batch, left, unrun } = chooseBatch(requests, { ...BOUNDS, ...bounds });
    expect(batch).toEqual({ requests: chosen.map((index) => requests[index]), rows, isPart });
    expect([left, unrun]).toEqual([requests.filter((_, index) => !chosen.includes(index)), []]);
  });
});

describe('not run is', () => {
  const gone = AbortSignal.abort();
  it.each<[string, string, Waiting, Partial<BatchBounds>]>([
    ['what nobody waits for', 'cancelled', waiting(1, { options: { signal: gone } }), {}],
    ['what is late', 'late', waiting(1, { deadline: 5 }), { now: 5 }],
    ['what cannot end in time', 'hopeless', waiting(3, { deadline: 5 }), { rowMs: 2 }],
    ['what has too much of it left', 'hopeless', { ...begun(), deadline: 11 }, { rowMs: 2 }],
    ['what would hold up all others', 'large', waiting(9, { mergeable: false }), { maxPieceRows: 8 }],
    ['that of a model whose rows are no more kept apart', 'large', waiting(9), { merges: false, maxPieceRows: 8 }],
  ])('%s', (_title, why, request, bounds) => {
    const other = waiting(1);
    const { batch, left, unrun } = chooseBatch([request, other], { ...BOUNDS, ...bounds });
    expect([batch.requests, left, unrun]).toEqual([[other], [], [{ request, why }]]);
  });
});
