import { describe, expect, it } from 'vitest';
import { admit, type PresentFile } from '../admission.ts';
import { externalModel, nodesModel } from '../onnx/testing/models.ts';
import type { Refusal } from '../refusal.ts';
import { codes, published, runtime, sha256 } from './testing/candidates.ts';

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
