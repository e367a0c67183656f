import { describe, expect, it } from 'vitest';
import { admit, type Candidate } from '../admission.ts';
import type { EncodeModel } from '../onnx/encode.ts';
import { functionTower, linearModel, nodesModel } from '../onnx/testing/models.ts';
import { bare, codes, refused, runtime } from './testing/candidates.ts';

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
