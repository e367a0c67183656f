import { bucketSettings } from '../../registry/config.ts';
import { unpin } from '../../registry/rollouts.ts';
import { BUCKET_OPTION, JSON_OPTION, withBucket, writeJson, writeNotes } from '../bucket.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  summary: 'Lets the newest version of a model that may serve answer again.',
  usage: 'MODEL',
  options: { bucket: BUCKET_OPTION, json: JSON_OPTION },
  positionals: { min: 1, max: 1 },
  settings: bucketSettings,
  run: (context) =>
    withBucket(context, async ({ store, write }) => {
      const [model] = context.positionals;
      const { rollout, notes } = await unpin(store, model!, write);
      if (context.values['json']) writeJson(context, { model, rollout, notes });
      else {
        writeNotes(context, notes);
        context.out.write(`The newest version of ${model} that may serve answers.\n`);
      }
      return 0;
    }),
};
