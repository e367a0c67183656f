import { expect, it } from 'vitest';
import type { CatalogAvailable, ProbeReport } from '../contract/catalog.ts';
import { describeMerging, judgeRows, placeVersion } from './placement.ts';

const fast: ProbeReport = { loadMs: 12.345, runMs: 0.0123, memoryBytes: 1e6, rowOutputs: [] };

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
  const manifest = { files: [{ bytes: 2 ** 25 - 5 }, { bytes: 5 }] } as CatalogAvailable['manifest'];
  const placement = placeVersion({ unproved, probe: { ...fast, ...measured }, manifest }, mode);
  expect(placement.engine).toBe(engine);
  expect(placement.reason).toMatch(reason);
});

it('a large version runs in a host, however fast the probe found it', () => {
  const manifest = { files: [{ bytes: 2 ** 25 }, { bytes: 1 }] } as CatalogAvailable['manifest'];
  expect(placeVersion({ unproved: [], probe: fast, manifest }, 'auto')).toEqual({
    engine: 'host',
    reason: 'Its files take 33 MiB, over 32: loading them would hold others up.',
  });
  expect(placeVersion({ unproved: [], probe: fast, manifest }, 'inline').engine).toBe('inline');
});

const independent = { independent: true, because: 'Every operator keeps the rows apart.' };
const unproved = { independent: false, because: 'ai.onnx:Loop is not proved.' };

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
  const signature = { inputs: [], outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1] }] };
  const manifest = { signature, batching } as unknown as CatalogAvailable['manifest'];
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
