import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The Python of an environment, or why there is none. */
export type PythonEnv = { python: string } | { missing: string };

const SCRIPT = fileURLToPath(new URL('../../tests/python-env.sh', import.meta.url));

/**
 * The environment that holds what a file of requirements names.
 * @param install makes it where it is not there; that takes a minute or two, and a network
 */
export function pythonEnv(name: string, requirements: URL, install: boolean): PythonEnv {
  const file = fileURLToPath(requirements);
  if (!existsSync(SCRIPT) || !existsSync(file))
    return { missing: 'it comes with a clone of Kedge, not with the package' };
  const words = [SCRIPT, ...(install ? [] : ['--there']), name, file];
  if (install) {
    try {
      return { python: execFileSync('bash', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim() };
    } catch {
      return { missing: 'its Python environment could not be made; what pip said stands above' };
    }
  }
  const { status, stdout } = spawnSync('bash', words, { encoding: 'utf8' });
  return status === 0 ? { python: stdout.trim() } : { missing: 'it is not installed; --install does that' };
}
