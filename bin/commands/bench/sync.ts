import { s3Program } from '../../../bench/sync/s3-server.ts';
import { benchSync } from '../../../bench/sync/sync.ts';
import { KedgeError } from '../../../contract/errors.ts';
import type { Context } from '../../command.ts';
import { figureCommand } from '../../figure-command.ts';
import { SYNC_IDLE } from '../../idle/sync.ts';
import { refuseByRules } from '../../idle-options.ts';

export const command = figureCommand({
  summary: 'fetch a bucket with the loader and with other clients of S3, in turns',
  about: `Fetches all of a bucket into an empty folder, again and again: with what the loader fetches with (sha256 of each file as it comes), with kedge load --once as a whole, which also
verifies, probes and keeps only the newest versions; and with those of aws, s5cmd and rclone that are here. Tells time, CPU of the client with its start, and requests.
Ends with 1 where a file is missing, or the fetch costs more CPU than aws s3 sync does.

The bucket is made on an S3 server of its own (versitygw; bash tests/install-servers.sh in a clone), and filled with models. Or it is yours, which is only read; requests are
then not counted:
  kedge bench sync --bucket s3://models/prod

Clients are looked for in PATH, and in a Python environment in the cache folder, which --install makes in a clone.`,
  options: {
    bucket: {
      type: 'string',
      value: 'URL',
      about: 'a bucket that is there: s3://bucket/prefix, instead of KEDGE_BUCKET',
      env: 'KEDGE_BUCKET',
    },
    install: { type: 'boolean', about: 'make the Python environment of aws, s5cmd and rclone' },
  },
  numbers: {
    rounds: { value: 'N', about: 'rounds', default: 3, min: 1, max: 1_000, integer: true },
    many: {
      value: 'N',
      about: 'models of 1 MiB in the bucket that is made',
      default: 100,
      min: 0,
      max: 10_000,
      integer: true,
    },
    big: { value: 'N', about: 'and large ones', default: 4, min: 0, max: 100, integer: true },
    size: { value: 'MIB', about: 'of those', default: 80, min: 1, max: 1_500, integer: true },
  },
  async bench(numbers, io, { env, values }) {
    const there = sourceOf(env);
    refuseByRules(values, SYNC_IDLE, { isThere: there !== undefined, big: numbers.big });
    const install = values['install'] === true;
    return benchSync({ ...numbers, there, path: env['PATH'] ?? '', s3Program: s3Program(env), install }, io);
  },
});

/** The bucket of the settings; undefined where none is named. */
function sourceOf(env: Context['env']): { url: string; env: Record<string, string> } | undefined {
  const url = env['KEDGE_BUCKET'];
  if (!url) return undefined;
  if (!url.startsWith('s3://'))
    throw new KedgeError('config-invalid', `--bucket takes s3://bucket/prefix, not '${url}'.`);
  const own = Object.entries(env).flatMap(([name, value]) => (name.startsWith('AWS_') && value ? [[name, value]] : []));
  return { url: url.replace(/\/+$/, ''), env: Object.fromEntries(own) };
}
