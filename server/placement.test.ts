import { describe, expect, it } from 'vitest';
import type { CatalogAvailable, ProbeReport } from '../contract/catalog.ts';
import { describeMerging, judgeRows, placeVersion } from './placement.ts';

const signature = (...inputs: [...number[]][]): CatalogAvailable['manifest']['signature'] => ({
  inputs: inputs.map((shape, index) => ({ name: `x${index}`, datatype: 'FP32', shape })),
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
});
const fixed = signature([1, 4]);
const fast: ProbeReport = { loadMs: 12.345, runMs: 0.0123, memoryBytes: 1e6, rowOutputs: [] };

const independent = { independent: true, because: 'Every operator keeps the rows apart.' };
const unproved = { independent: false, because: 'ai.onnx:Loop is not proved.' };

it.each<[string, string[], Partial<ProbeReport>, 'auto' | 'inline' | 'host', string, RegExp]>([
  ['proved and fast', [], {}, 'auto', 'inline', /proved harmless; load 12 ms and run 0\.012 ms/],
  ['at the limits', [], { loadMs: 200, runMs: 2 }, 'auto', 'inline', /200/],
  ['unproved', ['ai.onnx:Loop'], {}, 'auto', 'host', /Not proved.*ai\.onnx:Loop\./],
  ['much unproved', ['a:1', 'b:2', 'c:3', 'd:4', 'e:5'], {}, 'auto', 'host', /a:1, b:2, c:3 and 2 more/],
  ['slow to load', [], { loadMs: 201 }, 'auto', 'host', /Loading took 201 ms in the probe, over 200/],
  ['slow to run', [], { runMs: 2.1 }, 'auto', 'host', /run took 2\.1 ms/],
  ['measured as nothing', [], { runMs: Number.NaN }, 'auto', 'host', /run took NaN/],
  ['told to be inline', ['ai.onnx:Loop'], { runMs: 900 }, 'inline', 'inline', /KEDGE_ENGINE/],
  ['told to be in a host', [], {}, 'host', 'host', /KEDGE_ENGINE/],
])('%s', (_what, unproved, measured, mode, engine, reason) => {
  const manifest = { files: [{ bytes: 2 ** 25 - 5 }, { bytes: 5 }], signature: fixed } as CatalogAvailable['manifest'];
  const placement = placeVersion({ unproved, probe: { ...fast, ...measured }, manifest }, mode);
  expect(placement.engine).toBe(engine);
  expect(placement.reason).toMatch(reason);
});

it('a large version runs in a host, however fast the probe found it', () => {
  const manifest = { files: [{ bytes: 2 ** 25 }, { bytes: 1 }], signature: fixed } as CatalogAvailable['manifest'];
  expect(placeVersion({ unproved: [], probe: fast, manifest }, 'auto')).toEqual({
    engine: 'host',
    reason: 'Its files take 33 MiB, over 32: loading them would hold others up.',
  });
  expect(placeVersion({ unproved: [], probe: fast, manifest }, 'inline').engine).toBe('inline');
});

describe('a run on the serving loop is bounded', () => {
  const optional: (typeof fixed)['inputs'][number] = { name: 'w', datatype: 'FP32', shape: [4], optional: true };
  const of = (one: typeof fixed, rows: CatalogAvailable['rows'], more: object = {}) => {
    const manifest = { files: [{ bytes: 5 }], signature: one, ...more } as CatalogAvailable['manifest'];
    return placeVersion({ unproved: [], probe: { ...fast, rowOutputs: ['y'] }, manifest, rows }, 'auto');
  };

  it.each<[string, typeof fixed, CatalogAvailable['rows'], object?]>([
    ['where all sizes are fixed', fixed, unproved],
    ['where there is no input', signature(), undefined],
    ['where rows are run in parts', signature([-1, 4], [-1]), independent],
    ['where the publisher says so', signature([-1, 4]), unproved, { batching: { rows: 'independent' } }],
    ['beside a default of fixed size', { ...fixed, inputs: [...signature([-1, 4]).inputs, optional] }, independent],
  ])('%s', (_what, one, rows, more) => expect(of(one, rows, more).engine).toBe('inline'));

  it.each<[string, typeof fixed, CatalogAvailable['rows'], RegExp, object?]>([
    ['where rows depend on each other', signature([-1, 4]), unproved, /cannot be run in parts: ai\.onnx:Loop/],
    ['where nobody looked', signature([-1, 4]), undefined, /cannot be run in parts: The loader/],
    ['where a row may be of any size', signature([-1, -1]), independent, /by the size of input 'x0'/],
    ['where something else may be', signature([1, -1]), unproved, /by the size of input 'x0'/],
    [
      'where a default may be',
      { ...fixed, inputs: [...signature([-1]).inputs, { ...optional, shape: [-1] }] },
      independent,
      /by the size of input 'w'/,
    ],
    [
      'where an input has no rows',
      signature([-1, 4], [4]),
      unproved,
      /Input 'x1' has no rows/,
      { batching: { rows: 'independent' } },
    ],
  ])('not %s', (_what, one, rows, reason, more) => {
    expect(of(one, rows, more)).toEqual({ engine: 'host', reason: expect.stringMatching(reason) });
  });
});

it.each([
  ['proved', {}, independent, [], true, 'proved', /keeps the rows apart/],
  [
    'proved, but the publisher knows better',
    { rows: 'dependent' },
    independent,
    ['y'],
    false,
    'declared',
    /publisher says/,
  ],
  ['not proved', {}, unproved, ['y'], false, 'unproved', /Loop/],
  ['declared, and seen to have rows', { rows: 'independent' }, unproved, ['y'], true, 'declared', /publisher says/],
  ['declared, but without rows', { rows: 'independent' }, unproved, [], false, 'unproved', /'y' was not seen/],
  ['of an old catalog', {}, undefined, ['y'], false, 'unproved', /did not look/],
  ['of an old catalog, declared', { rows: 'independent' }, undefined, ['y'], true, 'declared', /publisher says/],
] as const)('rows %s', (_what, batching, rows, rowOutputs, merge, basis, reason) => {
  const manifest = { signature: signature(), batching } as unknown as CatalogAvailable['manifest'];
  const judged = judgeRows({ manifest, rows, probe: { ...fast, rowOutputs: [...rowOutputs] } });
  expect([judged.merge, judged.basis]).toEqual([merge, basis]);
  expect(judged.reason).toMatch(reason);
});

it.each([
  ['not loaded', true, undefined, { merged: true, basis: 'proved', reason: 'r' }],
  ['tried', true, { merges: true, because: 'b' }, { merged: true, basis: 'proved', reason: 'r', trial: 'b' }],
  ['forbidden', true, { merges: false, because: 'b' }, { merged: false, basis: 'forbidden', reason: 'b' }],
  ['never thought of', false, { merges: false, because: 'b' }, { merged: false, basis: 'proved', reason: 'r' }],
] as const)('merging that is %s', (_what, merge, engine, told) =>
  expect(describeMerging({ merge, basis: 'proved', reason: 'r' }, engine)).toEqual(told),
);
