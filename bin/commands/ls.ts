import { bucketSettings } from '../../registry/config.ts';
import { type ListedModel, type ListedVersion, listModels } from '../../registry/list-models.ts';
import { BUCKET_OPTION, JSON_OPTION, sizeText, table, timeText, withBucket, writeJson, writeNotes } from '../bucket.ts';
import type { Command } from '../command.ts';

const HEAD = ['MODEL', 'VERSION', 'STATE', 'FILES', 'SIZE', 'STORED', 'DIGEST', ''];

export const command: Command = {
  summary: 'Lists models and versions in the bucket.',
  usage: '[MODEL]',
  about: `States: published; bare (a file copied by hand); incomplete (claimed, never served); retired.
It tells what lies in the bucket. Whether a version may serve, kedge inspect and the loader say.`,
  options: { bucket: BUCKET_OPTION, json: JSON_OPTION },
  positionals: { min: 0, max: 1 },
  settings: bucketSettings,
  run: (context) =>
    withBucket(context, async ({ store }) => {
      const models = await listModels(store, context.positionals[0], context.signal);
      if (context.values['json']) writeJson(context, { bucket: store.url, models });
      else if (models.length === 0) context.out.write(`${store.url} holds no models.\n`);
      else {
        context.out.write(table(HEAD, models.flatMap(rowsOf)));
        writeNotes(
          context,
          models.flatMap(({ problems }) => problems),
        );
      }
      return 0;
    }),
};

function rowsOf({ model, retired, versions }: ListedModel): string[][] {
  if (versions.length === 0) return [[model, '-', retired ? 'retired' : '-', '', '', '', '', '']];
  return versions.map((version) => [
    model,
    String(version.version),
    version.retired ? 'retired' : version.kind,
    String(version.files),
    sizeText(version.bytes),
    timeText(version.modifiedAt),
    version.digest?.slice(0, 19) ?? '',
    marksOf(version).join(', '),
  ]);
}

export function marksOf({ pinned, contract, notInIndex, publisher }: ListedVersion): string[] {
  return [
    pinned ? 'pinned' : '',
    contract ? 'contract' : '',
    notInIndex ? 'not in the index yet' : '',
    publisher ? `by ${publisher}` : '',
  ].filter(Boolean);
}
