import { describe, expect, it } from 'vitest';
import { admit } from '../admission.ts';
import type { EncodeModel } from '../onnx/encode.ts';
import type { HeadResult } from '../onnx/head.ts';
import { linearModel, nodesModel } from '../onnx/testing/models.ts';
import { bare, codes, published, refused, runtime } from './testing/candidates.ts';

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
