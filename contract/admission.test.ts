import { describe, expect, it } from 'vitest';
import { bare, codes, features, published, refused, runtime } from './admission/testing/candidates.ts';
import { admit, type Candidate, type Facts } from './admission.ts';
import { linearModel } from './onnx/testing/models.ts';

describe('admits', () => {
  it.each<[string, Candidate, Facts]>([
    ['a version about which nothing is known', { model: 'demand', version: 3 }, {}],
    ['a published version', published(), runtime],
    ['a bare one', bare(linearModel()), runtime],
    [
      'the documents beside the files',
      {
        ...published(),
        files: [...published().files, { path: 'claim.json', bytes: 9 }, { path: 'manifest.json', bytes: 9 }],
      },
      runtime,
    ],
    ['a manifest alone', { model: 'demand', version: 3, manifest: published().manifest }, runtime],
    [
      'the newest versions that the runtime takes',
      bare(linearModel({ irVersion: 13, opsets: { '': 26, 'ai.onnx.ml': 5 } })),
      runtime,
    ],
    ['a domain that is imported and not used', bare(linearModel({ opsets: { '': 15, 'com.example': 99 } })), runtime],
    ['an input that objects lose', bare(linearModel({ input: '__proto__' })), runtime],
    ['what no one judges', bare(linearModel({ irVersion: 99 })), {}],
  ])('%s', (_, candidate, facts) => expect(admit(candidate, facts)).toEqual([]));
});

describe('the contract of the model', () => {
  const contract = {
    version: 1,
    signature: {
      ...published().manifest.signature,
      inputs: [{ name: 'old', datatype: 'FP32' as const, shape: [-1, 2] }],
    },
  };

  it('is held against the signature, of the manifest or of the head', () => {
    refused(
      published(),
      { contract },
      'signature-contract',
      /input 'old' FP32\[-1,2\] of version 1 is gone; 'x' .* `kedge pin demand 3`/,
    );
    refused(bare(linearModel()), { contract }, 'signature-contract', /'old'/);
  });

  it('binds what a release of the estimator with other features makes of them by its outputs alone', () => {
    const code = { estimator: 'e', version: '2.0.0', features };
    const released = published(linearModel(), {}, { code });
    const before = { ...contract, features: `sha256:${'e'.repeat(64)}` };
    expect(admit(released, { contract: before })).toEqual([]);
    refused(released, { contract: { ...before, features } }, 'signature-contract', /input 'old'/);
    const [output] = released.manifest.signature.outputs;
    const outputs = [{ ...output!, name: 'renamed' }];
    const other = { ...before, signature: { ...before.signature, outputs } };
    refused(released, { contract: other }, 'signature-contract', /output 'renamed'/);
  });

  it('binds neither a pinned version nor the one that set it', () => {
    expect(admit(published(), { contract, pinned: true })).toEqual([]);
    expect(admit(published(), { contract: { ...contract, version: 3 } })).toEqual([]);
  });
});

it('memory', () => {
  refused(
    { model: 'm', version: 1 },
    { memoryBudgetBytes: 500e6, memoryBytes: 512e6 },
    'memory-budget',
    /takes 512 MB of memory, there are 500 MB/,
  );
  expect(admit({ model: 'm', version: 1 }, { memoryBudgetBytes: 512e6, memoryBytes: 512e6 })).toEqual([]);
  expect(admit({ model: 'm', version: 1 }, { memoryBytes: 512e6 })).toEqual([]);
});

it('gives all reasons at once, and of a million of one kind the first few', () => {
  const version = published(linearModel({ irVersion: 14, opsets: { '': 27 } }), { version: 9 });
  expect(codes(admit({ ...version, files: [] }, runtime))).toEqual([
    'manifest-misplaced',
    'file-missing',
    'ir-version',
    'opset',
  ]);
  const files = Array.from({ length: 1_000 }, (_, index) => ({ path: `../${index}`, bytes: 1 }));
  const refusals = admit({ model: 'm', version: 1, files: [...files, { path: 'model.onnx', bytes: 1 }] });
  expect(refusals.filter(({ code }) => code === 'path-unsafe')).toHaveLength(9);
  expect(refusals[8]!.message).toBe('There are 992 more of this kind.');
});
