import { checkVersion } from '../../contract/names.ts';
import { bucketSettings } from '../../registry/config.ts';
import { retire, unretire } from '../../registry/rollouts.ts';
import { BUCKET_OPTION, JSON_OPTION, withBucket, writeJson, writeNotes } from '../bucket.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  summary: 'Takes a model, or versions of it, out of service.',
  usage: 'MODEL [VERSION ...] [--undo]',
  about: `Without a version the whole model goes. The files stay in the bucket until kedge gc --retired removes them.

  kedge retire demand 6
  kedge retire demand 6 --undo`,
  options: {
    undo: { type: 'boolean', about: 'bring them back' },
    bucket: BUCKET_OPTION,
    json: JSON_OPTION,
  },
  positionals: { min: 1, max: 1000 },
  settings: bucketSettings,
  run: (context) =>
    withBucket(context, async ({ store, write }) => {
      const [model, ...words] = context.positionals;
      const versions = words.length === 0 ? true : words.map(checkVersion);
      const undo = context.values['undo'] === true;
      const { rollout, notes } = await (undo ? unretire : retire)(store, model!, versions, write);
      if (context.values['json']) writeJson(context, { model, rollout, notes });
      else {
        writeNotes(context, notes);
        const what = versions === true ? model : `${model} version ${versions.join(', ')}`;
        context.out.write(`${what} is ${undo ? 'back in' : 'out of'} service.\n`);
      }
      return 0;
    }),
};
