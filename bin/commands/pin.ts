import { checkVersion } from '../../contract/names.ts';
import { bucketSettings } from '../../registry/config.ts';
import { pin } from '../../registry/rollouts.ts';
import { BUCKET_OPTION, JSON_OPTION, withBucket, writeJson, writeNotes } from '../bucket.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  summary: 'Lets one version of a model answer, whether newer or older: the way to roll back.',
  usage: 'MODEL VERSION',
  about: `It holds until another pin or kedge unpin. A pinned version may break with the contract of the model, and then is its contract until kedge unpin.

  kedge pin demand 7`,
  options: { bucket: BUCKET_OPTION, json: JSON_OPTION },
  positionals: { min: 2, max: 2 },
  settings: bucketSettings,
  run: (context) =>
    withBucket(context, async ({ store, write }) => {
      const [model, version] = context.positionals;
      const { rollout, notes } = await pin(store, model!, checkVersion(version!), write);
      if (context.values['json']) writeJson(context, { model, rollout, notes });
      else {
        writeNotes(context, notes);
        context.out.write(`${model} is pinned to version ${version}.\n`);
      }
      return 0;
    }),
};
