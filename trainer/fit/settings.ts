import type { z } from 'zod';
import { KedgeError } from '../../contract/errors.ts';

/**
 * Settings of a fitter by its schema, with its defaults.
 * @throws KedgeError `config-invalid` that names every problem, and the setting
 */
export function readSettingsOf<T>(fitter: string, schema: z.ZodType<T>, given: Readonly<Record<string, unknown>>): T {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) =>
    path.length > 0 ? `${path.join('.')}: ${message}` : message,
  );
  throw new KedgeError('config-invalid', `The settings do not fit the fitter ${fitter}: ${problems.join('; ')}.`);
}
