import { describe } from 'vitest';
import type { Env } from './programs.ts';
import { createStage, type Stage } from './stage.ts';
import { findS3Server, type S3Server, startS3Server } from '../s3-server.ts';

export interface BucketKind {
  name: string;
  /** A stage with a bucket of its own. */
  open(): Promise<Stage>;
  close(): Promise<void>;
}

/** Runs the same tests over a bucket in a folder and, where there is one, on a real S3 server. */
export function describeBuckets(title: string, tests: (kind: BucketKind) => void): void {
  describe(`${title}, bucket in a folder`, () =>
    tests({ name: 'folder', open: async () => createStage(), close: async () => undefined }));

  const skip = findS3Server() === undefined;
  describe.skipIf(skip)(`${title}, bucket on S3${skip ? ' (left out: no S3 server here)' : ''}`, () => {
    let server: S3Server | undefined;
    let count = 0;
    tests({
      name: 's3',
      async open() {
        server ??= await startS3Server();
        const env: Env = await server.bucket(`b${++count}`);
        return createStage(env);
      },
      async close() {
        await server?.stop();
        server = undefined;
      },
    });
  });
}
