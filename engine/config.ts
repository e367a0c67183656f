import type { Environment } from '../platform/settings.ts';

/** What a host process may see of the environment: how text is read, how memory is had. No credentials, no NODE_OPTIONS. */
const PASSED_ON = [
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'LOCPATH',
  'TZ',
  'TMPDIR',
  'LD_LIBRARY_PATH',
  'LD_PRELOAD',
  'MALLOC_ARENA_MAX',
  'MALLOC_CONF',
] as const;

/** The environment of a host process. */
export function hostEnvironment(env: Environment = process.env): Record<string, string> {
  return Object.fromEntries(
    PASSED_ON.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
