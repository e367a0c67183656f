import { describe } from 'vitest';
import { hasS3Server, type S3Server, startS3Server, withS3Server } from '../s3-server.ts';
import { createStage, type Stage } from './stage.ts';

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

  describe.skipIf(!hasS3Server)(withS3Server(`${title}, bucket on S3`), () => {
    let server: S3Server | undefined;
    tests({
      name: 's3',
      async open() {
        server ??= await startS3Server();
        return createStage({ bucket: `s3://${server.bucket}/stage`, env: server.env, s3: server.s3 });
      },
      async close() {
        await server?.stop();
        server = undefined;
      },
    });
  });
}
