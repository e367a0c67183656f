import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { basename } from 'node:path';
import { KEDGE_VERSION } from '../../contract/version.ts';
import type { Machine } from './record.ts';

/** The machine that this runs on, and the code. Cores and memory are what a cgroup leaves of it. */
export function thisMachine(): Machine {
  const commit = commitOf(import.meta.dirname, basename(import.meta.filename));
  return {
    cpu: cpus()[0]?.model.trim() || cpuOf(read('/proc/cpuinfo')) || arch(),
    cores: availableParallelism(),
    memoryBytes: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
    os: [distributionOf(read('/etc/os-release')), `${type()} ${release()} ${arch()}`].filter(Boolean).join(', '),
    node: process.version,
    kedge: KEDGE_VERSION,
    ...(commit === undefined ? {} : { commit }),
  };
}

/**
 * The commit that a file is of, with `-dirty` where files that git knows were changed since; undefined where git does not know the file. A package
 * that was installed within someone's repository is not of that repository's commit.
 */
export function commitOf(folder: string, file: string): string | undefined {
  const git = (...args: string[]): string =>
    execFileSync('git', ['--no-optional-locks', '-C', folder, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    git('ls-files', '--error-unmatch', file);
    return git('describe', '--always', '--dirty', '--abbrev=12', '--exclude=*');
  } catch {
    return undefined;
  }
}

/** From os-release(5): `Debian GNU/Linux 12 (bookworm)`. */
function distributionOf(text: string): string | undefined {
  return /^PRETTY_NAME="?(.*?)"?$/m.exec(text)?.[1];
}

/** Machines without a model name tell of their kind in other lines. */
function cpuOf(text: string): string | undefined {
  return /^(?:model name|Model|Hardware)\s*:\s*(.+)$/m.exec(text)?.[1];
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
