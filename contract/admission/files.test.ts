import { describe, expect, it } from 'vitest';
import { admit, type PresentFile } from '../admission.ts';
import { linearModel } from '../onnx/testing/models.ts';
import { bare, codes, published, refused, sha256 } from './testing/candidates.ts';

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
