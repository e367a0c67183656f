/**
 * Adds up the JSON reports of several test runs, and prints one closing line for whoever reads only that, after the names of tests that passed at a second try only.
 *
 *   node tests/tally.ts [--must-run WORDS] REPORT.json …
 *
 * `--must-run`: a regular expression; a test that was left out and whose full title matches it counts as failed.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

interface Test {
  status: string;
  fullName: string;
  /** Of each try. */
  failureMessages: string[];
}

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  /** Absent in the reports of checks that are no run of vitest: they give the counts alone. */
  testResults?: { assertionResults: Test[] }[];
}

const { positionals, values } = parseArgs({ allowPositionals: true, options: { 'must-run': { type: 'string' } } });
const reports = positionals.map((path) => JSON.parse(readFileSync(path, 'utf8')) as Report);
const sum = (count: (report: Report) => number): number => reports.reduce((total, report) => total + count(report), 0);

const tests = reports.flatMap(({ testResults }) => testResults ?? []).flatMap((file) => file.assertionResults);
for (const { status, fullName, failureMessages } of tests)
  if (status === 'passed' && failureMessages.length > 0)
    console.log(`Passed at a second try: ${fullName}: ${failureMessages[0]!.split('\n')[0]}`);

const mustRun = values['must-run'] ? new RegExp(values['must-run']) : undefined;
const missed = tests.filter(({ status, fullName }) => !/^(passed|failed)$/.test(status) && mustRun?.test(fullName));
for (const { fullName } of missed) console.error(`Left out, and must not be: ${fullName}`);

const failed = sum((report) => report.numFailedTests);
const skipped = sum((report) => report.numPendingTests + report.numTodoTests);
console.log(`${sum((report) => report.numPassedTests)} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 && missed.length === 0 ? 0 : 1;
