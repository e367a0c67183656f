import { bucketSettings } from '../../registry/config.ts';
import { unpin } from '../../registry/rollouts.ts';
import { BUCKET_OPTION, JSON_OPTION, withBucket, writeJson, writeNotes } from '../bucket.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  summary: 'Lets the newest version of a model that may serve answer again.',
  usage: 'MODEL [--keep-contract]',
  about: `A contract that the pin set goes back to what it was before, unless a newer version with the same inputs and outputs is there.`,
  options: {
    'keep-contract': { type: 'boolean', about: 'the pinned version serves well: later versions are held against it' },
    bucket: BUCKET_OPTION,
    json: JSON_OPTION,
  },
  positionals: { min: 1, max: 1 },
  settings: bucketSettings,
  run: (context) =>
    withBucket(context, async ({ store, write }) => {
      const { positionals, values } = context;
      const [model] = positionals;
      const { rollout, notes } = await unpin(store, model!, {
        ...write,
        keepContract: values['keep-contract'] === true,
      });
      if (values['json']) writeJson(context, { model, rollout, notes });
      else {
        writeNotes(context, notes);
        context.out.write(`The newest version of ${model} that may serve answers.\n`);
      }
      return 0;
    }),
};
