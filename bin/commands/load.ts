import { loaderSettings } from '../../loader/config.ts';
import { runLoader } from '../../loader/main.ts';
import { readSettings } from '../../platform/settings.ts';
import type { Command } from '../command.ts';
import { warnOfUnknownSettings } from '../unknown-settings.ts';

export const command: Command = {
  summary: 'keep the volume in step with the bucket',
  usage: '[--once] [--bucket URL] [--volume DIR] [--port PORT]',
  about: `Finds new versions in the bucket, fetches and verifies them, runs each once in a process of its own, and puts what passes onto
the volume, from which servers take it up. What does not pass is named with its reasons. One loader holds a volume; a second
one waits for it.

With --once it syncs one time and ends: 0 when every model of the bucket has a version on the volume (an empty bucket is good),
3 when the bucket cannot be read, 5 when the volume is full, read-only or held by another loader, 6 when all versions of some
model were refused.

Example: kedge load --bucket s3://models/prod --volume /models`,
  options: {
    once: { type: 'boolean', about: 'sync one time, then end' },
    bucket: { type: 'string', value: 'URL', env: 'KEDGE_BUCKET', about: 's3://bucket/prefix, or file:///dir' },
    volume: { type: 'string', value: 'DIR', env: 'KEDGE_VOLUME', about: 'folder to fill' },
    port: { type: 'string', value: 'PORT', env: 'KEDGE_LOADER_PORT', about: 'port for health and metrics' },
  },
  settings: loaderSettings,
  async run({ env, values, signal }) {
    warnOfUnknownSettings('loader', env);
    await runLoader(readSettings(loaderSettings, env), { once: values['once'] === true, signal });
    return 0;
  },
};
