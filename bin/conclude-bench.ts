import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { renderReport } from '../bench/report/html.ts';
import type { RunRecord } from '../bench/report/record.ts';
import { KedgeError, messageOf } from '../contract/errors.ts';
import type { CommandOption, Context } from './command.ts';

/** What a bench leaves behind, and what must hold of it. */
export const RECORD_OPTIONS: Record<string, CommandOption> = {
  json: { type: 'string', value: 'FILE', about: 'write the record of the run as JSON' },
  report: { type: 'string', value: 'FILE', about: 'write its report: one file of HTML' },
  assert: { type: 'string', value: 'FILE', about: 'YAML of what must hold; exit code 1 where it does not' },
};

/**
 * Makes the files that a run will leave, with their folders, so that nobody waits for a run that nothing is left of. What is in one already stays until the run is over.
 * @param names options that name files, beside those of the record; `-` is no file
 * @throws KedgeError `config-invalid` where one cannot be written
 */
export async function makeFiles(values: Context['values'], names: readonly string[] = []): Promise<void> {
  for (const name of ['json', 'report', ...names]) {
    const file = values[name] as string | undefined;
    if (file === undefined || file === '-') continue;
    try {
      await mkdir(dirname(file), { recursive: true });
      await appendFile(file, '');
    } catch (error) {
      throw new KedgeError(
        'config-invalid',
        `--${name} ${file} cannot be written: ${messageOf(error)}. Name a file in a folder that you may write to.`,
        { cause: error },
      );
    }
  }
}

/**
 * Writes the record and the report where they are asked for ({@link makeFiles} comes before the run), and tells the verdicts. What cannot be written keeps nothing else of a run that
 * may have taken hours.
 * @returns the exit code: 0 if all hold, or none were asked for
 * @throws KedgeError `config-invalid` at the end, where one could not be written
 */
export async function concludeBench(
  record: RunRecord,
  { values, out }: Pick<Context, 'values' | 'out'>,
): Promise<number> {
  const problems: string[] = [];
  const write = async (name: 'json' | 'report', make: () => string): Promise<void> => {
    const file = values[name] as string | undefined;
    if (file === undefined) return;
    const text = make();
    try {
      await writeFile(file, text);
    } catch (error) {
      problems.push(`--${name} ${file} cannot be written: ${messageOf(error)}.`);
    }
  };
  await write('json', () => `${JSON.stringify(record)}\n`);
  await write('report', () => renderReport(record));
  const lines = record.verdicts.map(
    ({ holds, assertion, measured, advice }) =>
      `${holds ? 'holds ' : 'FAILED'}  ${assertion}: ${measured}${advice === undefined ? '' : `\n        ${advice}`}`,
  );
  if (lines.length > 0) out.write(`\n${lines.join('\n')}\n`);
  if (problems.length > 0) throw new KedgeError('config-invalid', problems.join('\n'));
  return record.verdicts.every(({ holds }) => holds) ? 0 : 1;
}
