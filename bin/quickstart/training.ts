import { KedgeError } from '../../contract/errors.ts';
import { silentLog } from '../../platform/log.ts';
import type { Environment } from '../../platform/settings.ts';
import { withBucket } from '../bucket.ts';
import type { Context } from '../command.ts';
import { trainAll } from '../train/parts.ts';
import { setUp } from '../train/setup.ts';

/** What `kedge train` does with these flags, its report on the output of `context`. @throws KedgeError where it does not end well */
export async function train(context: Context, env: Environment, values: Context['values']): Promise<void> {
  const own: Context = { ...context, env, values, positionals: [] };
  const exit = await withBucket(own, async (bucket) => {
    const setup = await setUp(own, bucket);
    try {
      return await trainAll({ ...setup, log: silentLog });
    } finally {
      await setup.close();
    }
  });
  if (context.signal.aborted) throw new KedgeError('shutting-down', 'broken off');
  if (exit !== 0) throw new KedgeError('training-incomplete', 'The training left models out; its report says which.');
}
