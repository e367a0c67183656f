import { randomUUID } from 'node:crypto';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { KedgeError, messageOf } from '../contract/errors.ts';

/** What `kedge fit` leaves: the model, and what stands beside it. */
export interface FitFiles {
  model: string;
  details: string;
  report: string;
}

export function filesOf(out: string): FitFiles {
  const stem = join(dirname(out), basename(out).replace(/\.onnx$/, ''));
  return { model: out, details: `${stem}.details.json`, report: `${stem}.report.json` };
}

/**
 * Sees to it, before the work, that its files can be written after it: their folder is made, and none of them is a file that is read.
 * @param read files that are read, by what they are
 * @throws KedgeError `config-invalid`
 */
export async function prepareFiles(files: FitFiles, read: Readonly<Record<string, string | undefined>>): Promise<void> {
  for (const file of Object.values(files)) {
    const found = await statOf(file);
    if (found && !found.isFile()) {
      throw refused(`${file} is ${found.isDirectory() ? 'a folder' : 'no file'}`, 'Name a file to write.');
    }
    for (const [what, path] of Object.entries(read)) {
      if (path === undefined || !(await isSame(file, path))) continue;
      throw refused(`${file} is ${what}, which would be lost`, 'Name another file to write, such as model.onnx.');
    }
  }
  const folder = dirname(files.model);
  const trial = join(folder, `.${randomUUID()}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(trial, '', { flag: 'wx' });
  } catch (error) {
    throw refused(
      `nothing can be written to ${folder}: ${messageOf(error)}`,
      'Name a file in a folder that you may write to.',
    );
  } finally {
    await rm(trial, { force: true }).catch(() => undefined);
  }
}

function refused(what: string, advice: string): KedgeError {
  return new KedgeError('config-invalid', `--out cannot be: ${what}. ${advice}`);
}

function statOf(path: string): Promise<Awaited<ReturnType<typeof stat>> | undefined> {
  return stat(path).catch(() => undefined);
}

/** By what is there, so that links and file systems without case are seen through. */
async function isSame(one: string, other: string): Promise<boolean> {
  if (resolve(one) === resolve(other)) return true;
  const [a, b] = await Promise.all([statOf(one), statOf(other)]);
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}
