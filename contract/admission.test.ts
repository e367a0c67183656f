import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedModels } from '../tests/shared.ts';
import { admit, type Candidate, type Facts, type PresentFile } from './admission.ts';
import type { Details, Manifest } from './manifest.ts';
import { manifestOf, signatureOf } from './manifest-of.ts';
import type { EncodeModel } from './onnx/encode.ts';
import { type HeadResult, readHeadOfBytes } from './onnx/head.ts';
import { externalModel, functionTower, linearModel, nodesModel } from './onnx/testing/models.ts';
import type { Refusal, RefusalCode } from './refusal.ts';
import { RUNTIME } from './runtime.ts';

const sha256 = 'a'.repeat(64);
const features = `sha256:${'f'.repeat(64)}`;
const runtime: Facts = { runtime: RUNTIME };

/** A published version of these bytes, with the files that the manifest names really there. */
function published(
  bytes: Uint8Array = linearModel(),
  change: object = {},
  details?: Details,
): Candidate & { manifest: Manifest; files: PresentFile[] } {
  const head = readHeadOfBytes(bytes);
  if (!head.ok) throw new Error(head.refusals[0]!.message);
  const files = [{ path: 'model.onnx', bytes: bytes.length, sha256 }];
  const manifest = manifestOf({
    model: 'demand',
    version: 3,
    createdAt: '2026-11-23T02:40:00Z',
    files,
    head: head.head,
    details,
  });
  return { model: 'demand', version: 3, head, files, manifest: { ...manifest, ...change } };
}

/** The same, copied by hand: no manifest. */
function bare(bytes: Uint8Array, others: PresentFile[] = []): Candidate {
  return {
    model: 'demand',
    version: 3,
    head: readHeadOfBytes(bytes),
    files: [{ path: 'model.onnx', bytes: bytes.length }, ...others],
  };
}

const codes = (refusals: Refusal[]): RefusalCode[] => refusals.map(({ code }) => code);

function refused(candidate: Candidate, facts: Facts, code: RefusalCode, sentence: RegExp): void {
  const refusals = admit(candidate, facts);
  expect(codes(refusals)).toEqual([code]);
  expect(refusals[0]!.message).toMatch(sentence);
}

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

describe('files', () => {
  const version = published();
  const [file] = version.files as [PresentFile];
  const second = { path: 'weights.bin', bytes: 12, sha256 };

  it('of another model or version', () => {
    refused({ ...version, model: 'other' }, {}, 'manifest-misplaced', /that of demand\/3 but lies in other\/3/);
    refused({ ...version, version: 4 }, {}, 'manifest-misplaced', /that of demand\/3 but lies in demand\/4/);
  });

  it('that are missing, too many, of another size or of other bytes', () => {
    refused({ ...version, files: [] }, {}, 'file-missing', /names 'model.onnx' \(\d+ bytes\), which is not there/);
    refused({ ...version, files: [file, second] }, {}, 'file-undeclared', /'weights.bin' lies in the version/);
    refused(
      { ...version, files: [{ ...file, bytes: 7 }] },
      {},
      'size-mismatch',
      new RegExp(`has 7 bytes, the manifest names ${file.bytes}`),
    );
    refused(
      { ...version, files: [{ ...file, sha256: 'b'.repeat(64) }] },
      {},
      'digest-mismatch',
      /sha256 b{64}, the manifest names a{64}/,
    );
  });

  it('whose sha256 was not computed are not judged by it', () =>
    expect(admit({ ...version, files: [{ path: 'model.onnx', bytes: file.bytes }] })).toEqual([]));

  it('without a model among them', () => {
    const files = [
      { path: 'a.onnx', bytes: 1 },
      { path: 'b (2).onnx', bytes: 1 },
    ];
    refused(
      { model: 'm', version: 1, files },
      {},
      'model-file-missing',
      /holds no model.onnx but 'a.onnx', 'b \(2\).onnx'/,
    );
    refused({ model: 'm', version: 1, files: [] }, {}, 'model-file-missing', /but nothing/);
    const { manifest } = published(linearModel(), { files: [second] });
    refused(
      { model: 'demand', version: 3, manifest },
      {},
      'model-file-missing',
      /The manifest names no model.onnx but 'weights.bin'/,
    );
  });

  it('copied by hand beside a model', () =>
    refused(bare(linearModel(), [second]), {}, 'bare-several-files', /holds 'model.onnx', 'weights.bin'/));

  it('with paths to elsewhere', () =>
    expect(
      codes(
        admit({
          model: 'm',
          version: 1,
          files: [
            { path: 'model.onnx', bytes: 1 },
            { path: '../x', bytes: 1 },
          ],
        }),
      ),
    ).toEqual(['path-unsafe', 'bare-several-files']));

  it('named twice, or by the names of documents', () => {
    const { manifest } = published(linearModel(), { files: [...version.manifest.files, ...version.manifest.files] });
    refused({ model: 'demand', version: 3, manifest }, {}, 'manifest-invalid', /names 'model.onnx' twice/);
    const reserved = published(linearModel(), {
      files: [...version.manifest.files, { ...second, path: 'claim.json' }],
    });
    refused({ model: 'demand', version: 3, manifest: reserved.manifest }, {}, 'manifest-invalid', /claim.json/);
  });
});

describe('the runtime', () => {
  it('takes no newer IR version', () =>
    refused(
      bare(linearModel({ irVersion: 14 })),
      runtime,
      'ir-version',
      /IR version 14, the runtime here \(onnxruntime 1\.30\.0\) takes up to 13: export it with .*ir_version=13/,
    ));

  it('takes no newer opset, of the model or of a function', () => {
    refused(
      bare(linearModel({ opsets: { '': 28 } })),
      runtime,
      'opset',
      /opset 28 of ai\.onnx, the runtime here \(onnxruntime 1\.30\.0\) takes up to 26: export it for opset 26/,
    );
    refused(
      bare(linearModel({ opsets: { '': 15, 'ai.onnx.ml': 6 } })),
      runtime,
      'opset',
      /opset 6 of ai\.onnx\.ml, .* up to 5/,
    );
    const functions = [{ domain: 'd', name: 'f', inputs: ['a'], outputs: ['b'], nodes: [], opsets: { '': 27 } }];
    const model: EncodeModel = {
      inputs: [{ name: 'x', type: 'float', dims: [1] }],
      outputs: [{ name: 'y', type: 'float', dims: [1] }],
      nodes: [{ type: 'f', domain: 'd', inputs: ['x'], outputs: ['y'] }],
      functions,
    };
    refused(bare(nodesModel(model)), runtime, 'opset', /opset 27/);
  });

  it('has no operators of foreign domains', () => {
    const ends = {
      inputs: [{ name: 'x', type: 'float' as const, dims: [1] }],
      outputs: [{ name: 'y', type: 'float' as const, dims: [1] }],
    };
    const nodes = [{ type: 'Swish7', domain: 'com.example', inputs: ['x'], outputs: ['y'] }];
    refused(
      bare(nodesModel({ ...ends, nodes })),
      runtime,
      'operator-domain',
      /uses com\.example:Swish7, and .* no operators of the domain com\.example/,
    );
    const branch = { graph: { outputs: [], nodes } };
    const within = [{ type: 'If', inputs: ['x'], outputs: ['y'], attributes: { then_branch: branch } }];
    refused(bare(nodesModel({ ...ends, nodes: within })), runtime, 'operator-domain', /com\.example:Swish7/);
  });

  it('parses no file of more than 2 GB', () => {
    const candidate = bare(linearModel());
    const head = candidate.head as HeadResult & { ok: true };
    refused(
      { ...candidate, head: { ok: true, head: { ...head.head, bytes: 2 ** 31 } } },
      runtime,
      'onnx-too-large',
      /2\.1 GB.*external data/,
    );
  });

  it('is judged by the manifest where no head is known', () => {
    const { manifest } = published(linearModel(), { onnx: { irVersion: 14, opsets: { '': 28 } } });
    expect(codes(admit({ model: 'demand', version: 3, manifest }, runtime))).toEqual(['ir-version', 'opset']);
  });
});

describe('the graph', () => {
  const x = { name: 'x', type: 'float' as const, dims: ['N', 2] };
  const y = { name: 'y', type: 'float' as const, dims: ['N', 2] };
  const model = (part: Partial<EncodeModel>): Candidate =>
    bare(nodesModel({ inputs: [x], outputs: [y], nodes: [{ type: 'Neg', inputs: ['x'], outputs: ['y'] }], ...part }));

  it('needs inputs and outputs, of which one is a tensor', () => {
    refused(model({ outputs: [] }), {}, 'no-inputs-or-outputs', /has no outputs/);
    refused(model({ inputs: [] }), {}, 'no-inputs-or-outputs', /has no inputs/);
    refused(
      model({ outputs: [{ name: 's', type: 'seq(tensor(float))' }] }),
      {},
      'no-inputs-or-outputs',
      /no output that is a tensor \('s' seq\(tensor\(float\)\)\)/,
    );
  });

  it.each<[Partial<EncodeModel>, RegExp]>([
    [{ inputs: [{ name: 's', type: 'seq(tensor(float))' }] }, /input 's' seq\(tensor\(float\)\) cannot be served/],
    [{ inputs: [{ name: 'x', type: 'bfloat16', dims: [1] }] }, /input 'x' tensor\(bfloat16\) cannot be served/],
    [{ inputs: [{ name: 'x' }] }, /input 'x' without a type/],
    [{ inputs: [{ name: 'x', type: 'float' }] }, /declares no shape/],
    [{ outputs: [y, { name: 'z', type: 'bfloat16', dims: [1] }] }, /output 'z' tensor\(bfloat16\)/],
  ])('%j has a type that cannot be served', (part, sentence) =>
    refused(model(part), {}, 'datatype-unsupported', sentence),
  );

  it('may have outputs that are no tensors beside one', () =>
    expect(admit(model({ outputs: [y, { name: 's', type: 'seq(map(int64,tensor(float)))' }] }))).toEqual([]));

  it.each<[Partial<EncodeModel>, RegExp]>([
    [{ outputs: [{ ...y, name: '__proto__' }] }, /output "__proto__" is lost/],
    [{ outputs: [y, y] }, /output "y" stands there more than once/],
    [{ inputs: [{ ...x, name: 'a\0b' }] }, /input "a\\u0000b" is cut at its NUL/],
    [{ outputs: [{ ...y, name: '' }] }, /output "" has no name/],
  ])('%j has a name that is lost', (part, sentence) => refused(model(part), {}, 'name-unusable', sentence));

  it('declares no more data than it holds', () => {
    refused(
      model({ initializers: [{ name: 'w', type: 'float', dims: [2 ** 40] }] }),
      {},
      'tensor-too-large',
      /'w' declares 4\.4 TB, the file holds 0 bytes/,
    );
    refused(
      model({ initializers: [{ name: 'w', type: 'string', dims: [3], data: ['a'] }] }),
      {},
      'tensor-too-large',
      /declares 3 strings, the file holds 1 strings/,
    );
  });

  it('calls its functions neither too deep nor too often', () => {
    expect(admit(bare(functionTower({ depth: 100 })))).toEqual([]);
    refused(bare(functionTower({ depth: 101 })), {}, 'function-depth', /call each other 101 deep, at most 100/);
    refused(
      bare(functionTower({ depth: 21, calls: 2 })),
      {},
      'function-depth',
      /unfold into 1048576 nodes, at most 1000000/,
    );
  });

  it('that cannot be read is refused for that alone', () =>
    expect(codes(admit(bare(linearModel().subarray(0, 80)), runtime))).toEqual(['onnx-truncated']));
});

describe('external data', () => {
  const there = (bytes: number, path = 'weights.bin'): PresentFile => ({ path, bytes });
  const judge = (model: Uint8Array, others: PresentFile[]): Refusal[] => {
    const version = published(model);
    const files = others.map((other) => ({ ...other, sha256 }));
    const manifest = { ...version.manifest, files: [...version.manifest.files, ...files] };
    return admit({ ...version, manifest, files: [...version.files, ...others] }, runtime);
  };

  it('is fine where it is there and long enough', () => {
    expect(judge(externalModel(), [there(12)])).toEqual([]);
    expect(judge(externalModel({ location: './weights.bin' }), [there(12)])).toEqual([]);
    expect(judge(externalModel({ location: 'deep/er/w' }), [there(12, 'deep/er/w')])).toEqual([]);
  });

  it.each(['../secret.bin', '/etc/passwd', 'a/../../b', '', '..', 'C:\\w', './../w', '*/_ORT_MEM_ADDR_/../*'])(
    'at %j is outside',
    (location) => {
      const refusals = judge(externalModel({ location }), []);
      expect(codes(refusals)).toEqual(['external-data-path']);
      expect(refusals[0]!.message).toMatch(/tensor 'W' and 1 more lies in .* outside of the folder/);
    },
  );

  it('that is missing is refused once for each file', () => {
    const refusals = judge(externalModel(), []);
    expect(codes(refusals)).toEqual(['external-data-missing']);
    expect(refusals[0]!.message).toMatch(/tensor 'W' and 1 more lies in 'weights.bin', which is not among the files/);
  });

  it('that ends too early says where it has to reach', () => {
    const refusals = judge(externalModel(), [there(11)]);
    expect(codes(refusals)).toEqual(['external-data-short']);
    expect(refusals[0]!.message).toMatch(/'weights.bin' has 11 bytes, but the data of tensor 'b' reaches to byte 12/);
  });

  it('that is named shorter than the tensor is too', () => {
    const model = nodesModel({
      inputs: [{ name: 'x', type: 'float', dims: [4] }],
      outputs: [{ name: 'y', type: 'float', dims: [4] }],
      nodes: [{ type: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
      initializers: [
        { name: 'w', type: 'float', dims: [4], external: { location: 'weights.bin', offset: 2 ** 60, length: 8 } },
      ],
    });
    expect(codes(judge(model, [there(100)]))).toEqual(['external-data-short', 'external-data-short']);
  });

  it('is judged by the manifest where the files are not known', () => {
    const { head, manifest } = published(externalModel());
    expect(codes(admit({ model: 'demand', version: 3, head, manifest }))).toEqual(['external-data-missing']);
    expect(admit({ model: 'demand', version: 3, head })).toEqual([]);
  });
});

describe('what the manifest declares', () => {
  const { signature } = published().manifest;
  const [input] = signature.inputs;
  const [output] = signature.outputs;
  const declared = (change: object): Candidate => published(linearModel(), change);

  it.each<[string, object, RegExp]>([
    [
      'another datatype',
      { signature: { ...signature, inputs: [{ ...input!, datatype: 'FP64' }] } },
      /input 'x' as FP64\[-1,2\], and the graph has it as FP32\[-1,2\]/,
    ],
    [
      'another shape',
      { signature: { ...signature, inputs: [{ ...input!, shape: [-1, -1] }] } },
      /as FP32\[-1,-1\], and the graph has it as FP32\[-1,2\]/,
    ],
    ['a default', { signature: { ...signature, inputs: [{ ...input!, optional: true }] } }, /with a default/],
    [
      'another rank of an output',
      { signature: { ...signature, outputs: [{ ...output!, shape: [-1] }] } },
      /output 'y' as FP32\[-1\]/,
    ],
    [
      'no output',
      { signature: { ...signature, outputs: [] } },
      /graph has the output 'y', which the manifest does not declare/,
    ],
    [
      'an output left out',
      { signature: { ...signature, omittedOutputs: [{ name: 'z', type: 'seq(tensor(float))' }] } },
      /declares 'z' seq\(tensor\(float\)\), the graph has none/,
    ],
    [
      'another IR version',
      { onnx: { irVersion: 7, opsets: { '': 15 } } },
      /declares IR version 7, opsets ai\.onnx 15, the graph has IR version 8/,
    ],
    ['another opset', { onnx: { irVersion: 8, opsets: { '': 14 } } }, /opsets ai\.onnx 14, the graph/],
  ])('%s', (_, change, sentence) => refused(declared(change), {}, 'signature-mismatch', sentence));

  it('another name, once for each side of it', () =>
    expect(
      admit(declared({ signature: { ...signature, inputs: [{ ...input!, name: 'X' }] } })).map(
        ({ message }) => message,
      ),
    ).toEqual([
      expect.stringMatching(/declares the input 'X'.*no such input/),
      expect.stringMatching(/graph has the input 'x'/),
    ]));

  it('may know better which dimensions of outputs are free, and may spell the default domain', () =>
    expect(
      admit(
        declared({
          signature: { ...signature, outputs: [{ ...output!, shape: [-1, -1] }] },
          onnx: { irVersion: 8, opsets: { 'ai.onnx': 15 } },
        }),
      ),
    ).toEqual([]));

  const sample = {
    inputs: { x: { datatype: 'FP32' as const, shape: [1, 2], data: [1, 2] } },
    outputs: { y: { datatype: 'FP32' as const, shape: [1, 1], data: [9] } },
    tolerance: { abs: 0, rel: 0 },
  };
  const tensor = sample.inputs.x;

  it('takes samples that fit', () => expect(admit(published(linearModel(), { samples: [sample] }))).toEqual([]));

  it.each<[string, object, RegExp]>([
    ['without an input', { inputs: {} }, /Sample 0 of the manifest lacks the input 'x'/],
    ['with another input', { inputs: { x: tensor, z: tensor } }, /has the input 'z', which the signature has not/],
    ['of another datatype', { inputs: { x: { ...tensor, datatype: 'FP64' } } }, /'x' as FP64 instead of FP32/],
    [
      'of another shape',
      { inputs: { x: { ...tensor, shape: [2, 1] } } },
      /of shape \[2,1\], the signature says \[-1,2\]/,
    ],
    [
      'with too few elements',
      { inputs: { x: { ...tensor, data: [1] } } },
      /has 1 elements for the input 'x' of shape \[1,2\]/,
    ],
    ['without outputs', { outputs: {} }, /names no outputs/],
  ])('refuses samples %s', (_, change, sentence) =>
    refused(published(linearModel(), { samples: [{ ...sample, ...change }] }), {}, 'manifest-invalid', sentence),
  );
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

  it('binds neither a pinned version nor the one that set it', () => {
    expect(admit(published(), { contract, pinned: true })).toEqual([]);
    expect(admit(published(), { contract: { ...contract, version: 3 } })).toEqual([]);
  });
});

describe('the code', () => {
  const needs: Details = {
    code: { estimator: 'scooter-demand', version: '2.1.0', features },
    requires: { server: '>=1.0.0 <2', estimator: '^2.1.0' },
  };
  const version = published(linearModel(), {}, needs);
  const here = (version: string, digest = features, server = '1.4.0'): Facts => ({
    code: {
      server,
      estimators: [
        { name: 'other', version: '9.0.0', features },
        { name: 'scooter-demand', version, features: digest },
      ],
    },
  });

  it.each(['2.1.0', '2.9.3', '2.2.0-rc.1'])('admits the estimator %s', (own) =>
    expect(admit(version, here(own))).toEqual([]),
  );

  it('has to hold the estimator', () =>
    refused(
      version,
      { code: { server: '1.0.0', estimators: [] } },
      'estimator-missing',
      /estimator 'scooter-demand' \^2\.1\.0, which is not in this server \(it has none\)/,
    ));

  it.each(['2.0.9', '3.0.0', 'soon'])('has an estimator of version %s, outside of the range', (own) =>
    refused(
      version,
      here(own),
      'estimator-version',
      new RegExp(`'scooter-demand' \\^2\\.1\\.0, this server has ${own}`),
    ),
  );

  it('has other features', () =>
    refused(
      version,
      here('2.1.0', `sha256:${'0'.repeat(64)}`),
      'features-changed',
      /features sha256:0{64}, the version was trained with sha256:f{64}/,
    ));

  it.each(['0.9.0', '2.0.0'])('is Kedge %s', (server) =>
    refused(
      version,
      here('2.1.0', features, server),
      'server-version',
      new RegExp(`needs Kedge >=1\\.0\\.0 <2, here runs ${server}`),
    ),
  );

  it('is refused for everything at once', () =>
    expect(codes(admit(version, here('1.0.0', 'sha256:0', '0.1.0')))).toEqual([
      'server-version',
      'estimator-version',
      'features-changed',
    ]));

  it('is asked for in ranges', () => {
    const wrong = published(linearModel(), {}, { ...needs, requires: { server: 'new', estimator: 'newer' } });
    const refusals = admit(wrong, here('2.1.0'));
    expect(refusals.map(({ code, message }) => [code, /no version range/.test(message)])).toEqual([
      ['server-version', true],
      ['estimator-version', true],
    ]);
  });

  it('may hold several releases of an estimator: one that fits is enough', () => {
    const estimators = ['1.0.0', '2.1.0', '3.0.0'].map((own) => ({ name: 'scooter-demand', version: own, features }));
    expect(admit(version, { code: { server: '1.0.0', estimators } })).toEqual([]);
    const without = estimators.filter((entry) => entry.version !== '2.1.0');
    refused(
      version,
      { code: { server: '1.0.0', estimators: without } },
      'estimator-version',
      /this server has 3\.0\.0/,
    );
  });

  it('does not matter to a version that names none', () =>
    expect(admit(published(), { code: { server: '0.0.1', estimators: [] } })).toEqual([]));
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

describe.skipIf(!sharedModels)('files that a careless person would drop (left out without ../shared)', () => {
  const EXPECTED: Record<string, RefusalCode[]> = {
    truncated: ['onnx-truncated'],
    'zero-bytes': ['onnx-empty'],
    'html-page': ['onnx-not-a-model'],
    'fresh-export': ['ir-version', 'opset'],
    'opset-99': ['opset'],
    'custom-domain': ['operator-domain'],
    'external-parent': ['external-data-path'],
    'external-missing': ['external-data-missing'],
    'external-short': ['bare-several-files', 'external-data-short'],
    'dims-overflow': ['tensor-too-large'],
    'two-files': ['model-file-missing'],
    'no-outputs': ['no-inputs-or-outputs'],
    // Not only the bytes would tell, but they do.
    'nested-ifs': ['onnx-malformed'],
    'proto-output': ['name-unusable'],
    'function-bomb': ['function-depth'],
    'function-chain': ['function-depth'],
  };

  function dropped(dir: string): Candidate {
    const path = join(sharedModels!.dir, dir);
    const files = readdirSync(path)
      .filter((name) => !name.endsWith('.sh'))
      .map((name) => ({ path: name, bytes: readFileSync(join(path, name)).length }));
    const model = join(path, 'model.onnx');
    return {
      model: 'm',
      version: 2,
      files,
      ...(existsSync(model) ? { head: readHeadOfBytes(readFileSync(model)) } : {}),
    };
  }

  it.each(sharedModels?.bad ?? [])('$name', ({ name, dir, expected }) => {
    const refusals = admit(dropped(dir), runtime);
    expect(codes(refusals)).toEqual(EXPECTED[name] ?? []);
    if (expected === 'refuse-before-load') expect(refusals).not.toEqual([]);
    for (const { message } of refusals) expect(message).toMatch(/^.{40,500}\.$/);
  });

  it.each(sharedModels?.good ?? [])('but $name is admitted', ({ dir, files }) => {
    const { head } = dropped(dir);
    if (!head?.ok) throw new Error('no head');
    const manifest = manifestOf({ model: 'm', version: 2, createdAt: '2026-11-23T02:40:00Z', files, head: head.head });
    const contract = { version: 1, signature: signatureOf(head.head) };
    expect(admit({ model: 'm', version: 2, head, manifest, files }, { ...runtime, contract })).toEqual([]);
  });
});
