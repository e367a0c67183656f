import { existsSync } from 'node:fs';
import { type S3Server, s3Program, startS3Program } from '../bench/sync/s3-server.ts';

export { type S3Server, s3Env, s3Options } from '../bench/sync/s3-server.ts';

export const S3_PROGRAM = s3Program(process.env);

export const hasS3Server = existsSync(S3_PROGRAM);

/** For the title of a suite: says so where its tests are left out. */
export function withS3Server(title: string): string {
  return hasS3Server ? title : `${title} (left out: no S3 server; tests/install-servers.sh installs it)`;
}

/** Starts a server of its own with one bucket, on a free port, with a folder that goes away at its stop. */
export function startS3Server({ bucket = 'models' }: { bucket?: string } = {}): Promise<S3Server> {
  return startS3Program(S3_PROGRAM, bucket);
}
