import { KedgeError } from '../../contract/errors.ts';
import { silentLog } from '../../platform/log.ts';
import { openStore } from '../../registry/open-store.ts';
import type { Context } from '../command.ts';
import { trainAll } from '../train/parts.ts';
import { setUp } from '../train/setup.ts';
import type { Walk } from './walk.ts';

/** What `kedge train` does with these flags, its report on the output of `context`. @throws KedgeError where it does not end well */
export async function train(
  context: Context,
  { bucket, clock, env, signal }: Walk,
  values: Context['values'],
): Promise<void> {
  const store = openStore(bucket, { clock });
  try {
    const own: Context = { ...context, env, values, positionals: [] };
    const setup = await setUp(own, { store, write: { clock, random: Math.random, signal } });
    try {
      const exit = await trainAll({ ...setup, log: silentLog });
      if (signal.aborted) throw new KedgeError('shutting-down', 'broken off');
      if (exit !== 0) throw new KedgeError('training-incomplete', 'Models are left out; the report says which.');
    } finally {
      await setup.close();
    }
  } finally {
    store.close();
  }
}
