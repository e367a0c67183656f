import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasCode, messageOf } from '../contract/errors.ts';
import { featureDigest } from '../contract/estimator.ts';
import scooterDemand from '../examples/scooter-demand/estimator.ts';
import { loadEstimators, problemsOf, serverCode } from './estimators.ts';

const good = {
  name: 'demo',
  version: '1.2.3',
  features: [{ name: 'a', type: 'number', encoding: 'identity' }],
  row: [{ name: 'a', type: 'number', description: 'A number', required: true }],
  encode: () => new Map(),
  decode: () => [],
};

describe('an estimator', () => {
  it.each<[string, object]>([
    ['as it should be', {}],
    ['with a category', { features: [{ name: 'z', type: 'category', categories: ['a'], encoding: 'one-hot' }] }],
  ])('%s', (_what, change) => expect(problemsOf({ ...good, ...change })).toEqual([]));

  it.each<[string, object, string[]]>([
    ['without a name', { name: '' }, ['lacks a name']],
    ['with a version of two numbers', { version: '1.2' }, ['lacks a semantic version such as 1.0.0']],
    ['without functions', { encode: 1, decode: undefined }, ['lacks the function encode', 'lacks the function decode']],
    ['without features', { features: [] }, ['lacks the list features']],
    ['without row', { row: undefined }, ['lacks the list row']],
    ['with a nameless feature', { features: [null] }, ['lacks a name in features[0]']],
    ['with a feature twice', { features: [...good.features, ...good.features] }, ["has 'a' twice in features"]],
    [
      'with a feature of no type',
      { features: [{ name: 'a', encoding: 'identity' }] },
      ["has features[0] 'a' with a type that is none of number, integer, boolean, category"],
    ],
    [
      'with a feature of no encoding',
      { features: [{ name: 'a', type: 'number' }] },
      ["has features[0] 'a' without an encoding"],
    ],
    [
      'with a category of no list',
      { features: [{ name: 'a', type: 'category', encoding: 'ordinal' }] },
      ["has features[0] 'a' without a list of its categories"],
    ],
    [
      'with a field of no type',
      { row: [{ ...good.row[0], type: 'date' }] },
      ["has row[0] 'a' with a type that is none of number, integer, boolean, string"],
    ],
    [
      'with a field undescribed',
      { row: [{ name: 'a', type: 'number', required: true }] },
      ["has row[0] 'a' without a description"],
    ],
    [
      'with a field neither required nor not',
      { row: [{ name: 'a', type: 'number', description: '' }] },
      ["has row[0] 'a' without saying whether it is required"],
    ],
  ])('%s', (_what, change, want) => expect(problemsOf({ ...good, ...change })).toEqual(want));

  it.each([undefined, null, 7, () => good])('that is %s', (value) =>
    expect(problemsOf(value)).toEqual(['has no default export that is an estimator object']),
  );
});

describe('a folder of estimators', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kedge-estimators-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const source = (name: string, version = '1.0.0'): string =>
    `export default { ...${JSON.stringify({ ...good, name, version })}, encode() { return new Map(); }, decode() { return []; } };`;

  it('gives each by its name, with the digest of its features', async () => {
    put('one.mjs', source('uno'));
    put('two.js', source('due'));
    put('three.ts', `const typed: object = {}; ${source('tre')}`);
    put('four/estimator.ts', source('quattro'));
    put('four/README.md', '');
    const estimators = await loadEstimators(folder);
    expect([...estimators.keys()].sort()).toEqual(['due', 'quattro', 'tre', 'uno']);
    expect(estimators.get('tre')!.digest).toBe(featureDigest(good.features as never));
    expect(serverCode('1.0.0', estimators).estimators).toHaveLength(4);
  });

  it('passes over what is none', async () => {
    put('one.test.ts', 'throw new Error("a test ran");');
    put('one.d.ts', 'throw new Error("a declaration ran");');
    put('.hidden.ts', 'throw new Error("a hidden file ran");');
    put('notes.md', '');
    put('empty/other.ts', 'throw new Error("another file ran");');
    expect(await loadEstimators(folder)).toEqual(new Map());
  });

  it('takes what was built before its source', async () => {
    put('one.ts', source('uno', '1.0.0'));
    put('one.js', source('uno', '2.0.0'));
    expect((await loadEstimators(folder)).get('uno')!.estimator.version).toBe('2.0.0');
  });

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'two of one name',
      { 'a.mjs': source('uno'), 'b.mjs': source('uno') },
      /b\.mjs has the name 'uno', which .*a\.mjs has too/,
    ],
    [
      'one that is not whole',
      { 'a.mjs': 'export default { name: "uno" };' },
      /a\.mjs lacks a semantic version.*encode.*decode\.$/,
    ],
    ['one without a default export', { 'a.mjs': 'export const b = 1;' }, /a\.mjs has no default export/],
    ['one that throws', { 'a.mjs': 'throw new Error("no luck");' }, /a\.mjs cannot be imported: no luck/],
    ['one that does not parse', { 'a.mjs': 'export default {' }, /a\.mjs cannot be imported/],
  ])('with %s is refused', async (_what, files, sentence) => {
    for (const [path, text] of Object.entries(files)) put(path, text);
    const error = await loadEstimators(folder).catch((thrown: unknown) => thrown);
    expect(hasCode(error, 'estimator-invalid')).toBe(true);
    expect(messageOf(error)).toMatch(sentence);
  });

  it('that is not there is refused', async () =>
    expect(await loadEstimators(join(folder, 'none')).catch(messageOf)).toMatch(/cannot be read/));
});

it('no folder, no estimators', async () => expect(await loadEstimators(undefined)).toEqual(new Map()));

it('the examples of this repository load', async () => {
  const estimators = await loadEstimators(fileURLToPath(new URL('../examples', import.meta.url)));
  expect(estimators.get('scooter-demand')?.digest).toBe(featureDigest(scooterDemand.features));
});
