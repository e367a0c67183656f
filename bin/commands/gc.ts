import { KedgeError } from '../../contract/errors.ts';
import { bucketSettings } from '../../registry/config.ts';
import { DEFAULT_GRACE_MS, gc } from '../../registry/gc.ts';
import { gcStaging, STAGING_GRACE_MS } from '../../trainer/run/staging.ts';
import { BUCKET_OPTION, JSON_OPTION, sizeText, table, withBucket, writeJson } from '../bucket.ts';
import type { Command } from '../command.ts';

const HOUR_MS = 3600_000;

export const command: Command = {
  summary: 'Removes what can never be served again.',
  usage: '[--dry-run] [--retired] [--older-than HOURS]',
  about: `Incomplete versions whose publisher does not come back go; with --retired also the files of retired versions, for good.
A number is never given again. What trainings left behind goes after ${STAGING_GRACE_MS / (24 * HOUR_MS)} days: models that were kept back, and reports. On S3, parts of uploads that broke off are for a lifecycle rule of the bucket
(AbortIncompleteMultipartUpload).`,
  options: {
    'dry-run': { type: 'boolean', about: 'only tell what would go' },
    retired: { type: 'boolean', about: 'also remove the files of retired versions' },
    'older-than': {
      type: 'string',
      value: 'HOURS',
      about: `how long an incomplete version must have rested (${DEFAULT_GRACE_MS / HOUR_MS})`,
    },
    bucket: BUCKET_OPTION,
    json: JSON_OPTION,
  },
  settings: bucketSettings,
  run: (context) =>
    withBucket(context, async ({ store, write }) => {
      const { values } = context;
      const dryRun = values['dry-run'] === true;
      const graceMs = hoursOf(values['older-than']) * HOUR_MS;
      const removals = await gc(store, { ...write, graceMs, dryRun, retired: values['retired'] === true });
      const trainings = await gcStaging(store, { ...write, dryRun });
      if (values['json']) writeJson(context, { bucket: store.url, dryRun, removals, trainings });
      else if (removals.length + trainings.length === 0) context.out.write('There is nothing to remove.\n');
      else {
        const versions = removals.map(({ model, version, ...rest }) => ({ model, version: String(version), ...rest }));
        const runs = trainings.map(({ run, ...rest }) => ({ model: run, version: '-', reason: 'training', ...rest }));
        const rows = [...versions, ...runs].map(({ model, version, reason, objects, bytes }) => [
          model,
          version,
          reason,
          String(objects),
          sizeText(bytes),
        ]);
        context.out.write(table(['MODEL', 'VERSION', 'REASON', 'OBJECTS', 'SIZE'], rows));
        context.out.write(dryRun ? 'Nothing was removed (--dry-run).\n' : `Removed ${rows.length}.\n`);
      }
      return 0;
    }),
};

function hoursOf(text: unknown): number {
  if (typeof text !== 'string') return DEFAULT_GRACE_MS / HOUR_MS;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new KedgeError('config-invalid', `--older-than takes hours, not '${text}'.`);
}
