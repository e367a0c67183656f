import { describe, expect, it } from 'vitest';
import { linearModel } from '../onnx/testing/models.ts';
import { compareTerms, type Terms, termsIn, termsOf } from './terms.ts';
import { bare, features, published } from './testing/candidates.ts';

const OTHER = `sha256:${'e'.repeat(64)}`;

/** FP32 `x` of so many features to FP32 `y` of so many answers. */
function terms(digest: string | undefined, width: number, answers = 1): Terms {
  const tensor = { datatype: 'FP32' as const };
  const inputs = [{ name: 'x', ...tensor, shape: [-1, width] }];
  return { signature: { inputs, outputs: [{ name: 'y', ...tensor, shape: [-1, answers] }] }, features: digest };
}

describe('terms are compared', () => {
  const wider = /^The input 'x' has the shape \[-1,3\]; of version 1 it is \[-1,2\]/;
  const more = /^The output 'y' has the shape \[-1,2\]; of version 1 it is \[-1,1\]/;
  it.each<[string, Terms, Terms, RegExp[]]>([
    ['without features', terms(undefined, 2), terms(undefined, 3), [wider]],
    ['with the same features', terms(features, 2), terms(features, 3), [wider]],
    ['the same inputs of other features', terms(features, 2), terms(OTHER, 2), []],
    ['more inputs of other features', terms(features, 2), terms(OTHER, 3), []],
    ['other answers of other features', terms(features, 2), terms(OTHER, 3, 2), [more]],
    ['an estimator after plain tensors', terms(undefined, 2), terms(features, 3), [wider]],
    ['plain tensors after an estimator', terms(features, 2), terms(undefined, 3, 2), [wider, more]],
  ])('%s', (_, contract, candidate, expected) => {
    const refusals = compareTerms(contract, candidate, { model: 'demand', version: 3, contractVersion: 1 });
    expect(refusals.map(({ code, message }) => [code, message])).toEqual(
      expected.map((sentence) => ['signature-contract', expect.stringMatching(sentence)]),
    );
  });
});

describe('the terms of a version', () => {
  const code = { estimator: 'e', version: '1.0.0', features };
  const { manifest, head } = published(linearModel(), {}, { code });
  const graph = { signature: manifest.signature };

  it.each<[string, Terms | undefined, Terms | undefined]>([
    ['by its manifest', termsOf(manifest), { ...graph, features }],
    [
      'by its manifest before its graph',
      termsIn({ manifest, head: { ok: false, refusals: [] } }),
      { ...graph, features },
    ],
    ['by its graph alone', termsIn({ head }), graph],
    ['dropped by hand', termsIn(bare(linearModel())), graph],
    ['that cannot be read', termsIn({ head: { ok: false, refusals: [] } }), undefined],
  ])('%s', (_, found, expected) => expect(found).toEqual(expected));
});
