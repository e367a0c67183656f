import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describeAssertions, judge, readAssertions } from '../../../bench/report/assertions.ts';
import { compare } from '../../../bench/report/compare.ts';
import { renderReport } from '../../../bench/report/html.ts';
import { readRecord } from '../../../bench/report/read-record.ts';
import type { RunRecord } from '../../../bench/report/record.ts';
import { KedgeError, messageOf } from '../../../contract/errors.ts';
import type { Command } from '../../command.ts';
import { concludeBench } from '../../conclude-bench.ts';
import { readText } from '../../read-text.ts';
import { columns } from '../../run.ts';

export const command: Command = {
  summary: 'draw the report of a run, and compare two',
  usage: 'RUN.json [--against OTHER.json] [--assert FILE.yaml] [--out FILE.html]',
  about: `Draws the record that a bench left behind (--json) as one page of HTML that needs nothing else.

Assertions are a YAML mapping from name to value; exit code 1 where one does not hold. There are:
${columns(describeAssertions().map(({ name, about, form }) => [name, `${about}; ${form}`] as const))}`,
  options: {
    against: { type: 'string', value: 'OTHER.json', about: 'another run, drawn behind and compared figure by figure' },
    assert: { type: 'string', value: 'FILE', about: 'judge the run anew: YAML of what must hold' },
    out: { type: 'string', value: 'FILE', about: 'where to write the page; beside the record if absent' },
  },
  positionals: { min: 1, max: 1 },
  async run({ positionals: [path], values, out }) {
    const {
      against,
      assert,
      out: page = pageOf(path!),
    } = values as { against?: string; assert?: string; out?: string };
    if ([path!, against, assert].some((input) => input !== undefined && resolve(input) === resolve(page))) {
      throw new KedgeError(
        'config-invalid',
        `--out ${page} would replace what the report is made of; name another file.`,
      );
    }
    const assertions = assert === undefined ? undefined : readAssertions(readText(assert), assert);
    const recordOf = async (file: string): Promise<RunRecord> => {
      const record = readRecord(readText(file), file);
      return assertions ? { ...record, verdicts: judge(record, assertions) } : record;
    };
    const record = await recordOf(path!);
    const other = against === undefined ? undefined : await recordOf(against);
    await writePage(page, renderReport(record, other));
    if (other) out.write(comparisonText(record, other));
    const code = await concludeBench(record, { values: {}, out });
    out.write(`\nreport  ${page}\n`);
    return code;
  },
};

const pageOf = (path: string): string => `${path.replace(/\.json$/i, '')}.html`;

async function writePage(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw new KedgeError('config-invalid', `${path} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}

function comparisonText(record: RunRecord, other: RunRecord): string {
  const { rows, unfair, code } = compare(record, other);
  const table = [
    ['', 'this run', 'other run', 'difference', ''],
    ...rows.map((row) => [row.name, row.one, row.other, row.difference, row.change ?? '']),
  ];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) =>
        column === 0 || column === 4 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
  const warning =
    unfair.length === 0
      ? []
      : ['', 'Not a fair comparison, as other things than the code differ:', ...unfair.map((line) => `  ${line}`)];
  return `${[...lines, ...code.map((line) => `\n${line}`), ...warning].join('\n')}\n`;
}
