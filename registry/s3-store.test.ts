import { afterAll, beforeAll, describe } from 'vitest';
import { hasS3Server, type S3Server, startS3Server, withS3Server } from '../tests/s3-server.ts';
import { openStore } from './open-store.ts';
import { describeObjectStore } from './testing/object-store-suite.ts';

describe.skipIf(!hasS3Server)(withS3Server('against a real S3 server'), () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3Server();
  });
  afterAll(() => server.stop());

  describeObjectStore('S3Store', async (name) => openStore(`s3://${server.bucket}/suite/${name}`, { s3: server.s3 }), {
    hasPages: 1100,
  });
});
