import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { renderReport } from '../bench/report/html.ts';
import type { RunRecord } from '../bench/report/record.ts';
import type { CommandOption, Context } from './command.ts';

/** What a bench leaves behind, and what must hold of it. */
export const RECORD_OPTIONS: Record<string, CommandOption> = {
  json: { type: 'string', value: 'FILE', about: 'write the record of the run as JSON' },
  report: { type: 'string', value: 'FILE', about: 'write its report: one file of HTML' },
  assert: { type: 'string', value: 'FILE', about: 'YAML of what must hold; exit code 1 where it does not' },
};

/** Writes the record and the report where they are asked for, and tells the verdicts. @returns the exit code: 0 if all hold, or none were asked for */
export async function concludeBench(
  record: RunRecord,
  { values, out }: Pick<Context, 'values' | 'out'>,
): Promise<number> {
  const { json, report } = values as { json?: string; report?: string };
  if (json !== undefined) await writeInto(json, `${JSON.stringify(record)}\n`);
  if (report !== undefined) await writeInto(report, renderReport(record));
  const lines = record.verdicts.map(
    ({ holds, assertion, measured, advice }) =>
      `${holds ? 'holds ' : 'FAILED'}  ${assertion}: ${measured}${advice === undefined ? '' : `\n        ${advice}`}`,
  );
  if (lines.length > 0) out.write(`\n${lines.join('\n')}\n`);
  return record.verdicts.every(({ holds }) => holds) ? 0 : 1;
}

/** Makes the folder, too. */
async function writeInto(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
