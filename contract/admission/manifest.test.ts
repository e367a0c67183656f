import { describe, expect, it } from 'vitest';
import type { Refusal } from '../refusal.ts';
import { parseManifest } from './manifest.ts';

const good = {
  schemaVersion: 1,
  model: 'demand',
  version: 8,
  createdAt: '2026-11-23T02:40:00Z',
  files: [{ path: 'model.onnx', bytes: 3, sha256: 'a'.repeat(64) }],
  onnx: { irVersion: 8, opsets: { '': 15 } },
  signature: {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
  },
};
const file = good.files[0]!;

function refusalsOf(change: object): Refusal[] {
  const parsed = parseManifest(JSON.stringify({ ...good, ...change }));
  return parsed.ok ? [] : parsed.refusals;
}

describe('a manifest is taken', () => {
  it.each<[string, object]>([
    ['as it is', {}],
    [
      'with keys that are not known',
      { notes: 'kept', code: { estimator: 'e', version: '1', features: `sha256:${'a'.repeat(64)}`, more: 1 } },
    ],
    ['with a time zone', { createdAt: '2026-11-23T02:40:00+01:00' }],
  ])('%s', (_, change) => {
    const parsed = parseManifest(`\ufeff${JSON.stringify({ ...good, ...change })}`);
    expect(parsed).toEqual({ ok: true, manifest: { ...good, ...change } });
  });
});

describe('a manifest is refused', () => {
  it.each<[string, object, string, RegExp]>([
    ['newer schema', { schemaVersion: 2 }, 'manifest-schema', /schemaVersion 2, this Kedge reads 1: update/],
    ['no schema', { schemaVersion: undefined }, 'manifest-invalid', /schemaVersion/],
    ['schema as text', { schemaVersion: '1' }, 'manifest-invalid', /schemaVersion/],
    ['a name that is none', { model: 'No Model' }, 'manifest-invalid', /model: is no model name/],
    ['a version that is none', { version: 0 }, 'manifest-invalid', /version/],
    ['a time that is none', { createdAt: 'today' }, 'manifest-invalid', /createdAt/],
    ['no files', { files: [] }, 'manifest-invalid', /files/],
    ['files that are none', { files: [null] }, 'manifest-invalid', /files\.0/],
    [
      'a digest that is none',
      { files: [{ ...file, sha256: 'abc' }] },
      'manifest-invalid',
      /files\.0\.sha256: must be 64/,
    ],
    ['a negative size', { files: [{ ...file, bytes: -1 }] }, 'manifest-invalid', /files\.0\.bytes/],
    [
      'a datatype that is none',
      { signature: { inputs: [{ name: 'x', datatype: 'FP8', shape: [] }], outputs: [] } },
      'manifest-invalid',
      /signature\.inputs\.0\.datatype/,
    ],
    ['a path to elsewhere', { files: [{ ...file, path: '../model.onnx' }] }, 'path-unsafe', /"\.\.\/model\.onnx"/],
    ['an absolute path', { files: [{ ...file, path: '/etc/passwd' }] }, 'path-unsafe', /"\/etc\/passwd"/],
    ['a backslash', { files: [{ ...file, path: 'a\\b' }] }, 'path-unsafe', /a\\\\b/],
  ])('%s', (_, change, code, sentence) => {
    const refusals = refusalsOf(change);
    expect(refusals.map((refusal) => refusal.code)).toEqual([code]);
    expect(refusals[0]!.message).toMatch(sentence);
  });

  it('for each of its faults', () => {
    const refusals = refusalsOf({
      files: [
        { ...file, path: '..' },
        { ...file, bytes: 'many' },
      ],
      version: -1,
    });
    expect(refusals.map(({ code }) => code)).toEqual(['path-unsafe', 'manifest-invalid']);
    expect(refusals[1]!.message).toMatch(/version.*files\.1\.bytes|files\.1\.bytes.*version/);
  });

  it.each(['', '{', 'null', '[]', '"text"', '7', '<html>', '{"schemaVersion": 1}', '{"__proto__": null}'])(
    '%j',
    (text) => {
      const parsed = parseManifest(text);
      expect(parsed).toMatchObject({ ok: false, refusals: [{ code: 'manifest-invalid' }] });
    },
  );

  it('without naming a million faults', () => {
    const [refusal] = refusalsOf({ files: new Array(5_000).fill({ path: 'a' }) });
    expect(refusal!.message.length).toBeLessThan(1_500);
    expect(refusal!.message).toMatch(/and \d+ more/);
  });
});
