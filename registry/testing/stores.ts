import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { externalModel } from '../../contract/onnx/testing/models.ts';
import { hasS3Server, type S3Server, startS3Server, withS3Server } from '../../tests/s3-server.ts';
import type { ObjectStore } from '../object-store.ts';
import { openStore } from '../open-store.ts';

export interface TestBucket {
  store: ObjectStore;
  url: string;
  /** For a program on this bucket. */
  env: Record<string, string>;
}

export interface TestStores {
  /** An empty bucket, or an empty prefix of one. */
  open(): Promise<TestBucket>;
  /** Writes files below a new folder. @returns the folder */
  files(contents: Record<string, Uint8Array | string>): Promise<string>;
}

/** Runs the same tests over a bucket in a folder and, where there is a server, on S3. */
export function describeStores(title: string, tests: (stores: TestStores) => void): void {
  describe(`${title}, bucket in a folder`, () => {
    const files = useFolder();
    const open = async (): Promise<TestBucket> => {
      const url = `file://${await files({})}`;
      return { store: openStore(url), url, env: { KEDGE_BUCKET: url } };
    };
    withClosing({ files, open }, tests);
  });

  describe.skipIf(!hasS3Server)(withS3Server(`${title}, bucket on S3`), () => {
    let server: S3Server;
    let count = 0;
    const files = useFolder();
    beforeAll(async () => {
      server = await startS3Server();
    });
    afterAll(() => server?.stop());
    const open = async (): Promise<TestBucket> => {
      const url = `s3://${server.bucket}/t${++count}`;
      return { store: openStore(url, { s3: server.s3 }), url, env: { KEDGE_BUCKET: url, ...server.env } };
    };
    withClosing({ files, open }, tests);
  });
}

function withClosing(stores: TestStores, tests: (stores: TestStores) => void): void {
  const opened: ObjectStore[] = [];
  afterEach(() => {
    for (const store of opened.splice(0)) store.close();
  });
  tests({
    files: stores.files,
    open: async () => {
      const bucket = await stores.open();
      opened.push(bucket.store);
      return bucket;
    },
  });
}

/** A folder for the files of a suite, gone at its end. */
export function useFolder(): TestStores['files'] {
  let dir: string;
  let count = 0;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kedge-registry-'));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));
  return async (contents) => {
    const folder = join(dir, String(++count));
    await mkdir(folder, { recursive: true });
    for (const [path, content] of Object.entries(contents)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
    return folder;
  };
}

/** The files of a model whose weights lie beside it. */
export function externalFiles(weights = [2, 3, 1]): Record<string, Uint8Array> {
  return { 'model.onnx': externalModel(), 'weights.bin': new Uint8Array(Float32Array.from(weights).buffer) };
}
