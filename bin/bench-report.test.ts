import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { exampleRecord } from '../bench/report/testing/example.ts';
import { handmade, rates } from '../bench/report/testing/handmade.ts';
import { runKedge } from '../tests/e2e/programs.ts';

const home = mkdtempSync(join(tmpdir(), 'kedge-report-command-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const at = (name: string): string => join(home, name);
const put = (name: string, content: unknown): string => {
  writeFileSync(at(name), typeof content === 'string' ? content : JSON.stringify(content));
  return at(name);
};

const run = put('run.json', exampleRecord({ seconds: 120 }));
const load = put('load.json', handmade(rates([20, 10])));

describe('kedge bench report', () => {
  it('writes a page beside the record, and judges nothing that is not asserted', async () => {
    const { code, out } = await runKedge(['bench', 'report', run], {});
    expect(out).toBe(`\nreport  ${at('run.html')}\n`);
    expect(code).toBe(0);
    const page = readFileSync(at('run.html'), 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).toContain('Nothing was asserted');
    expect(page).not.toMatch(/(?:src|href)="(?!data:)/);
  });

  it('judges a run anew; exit code 1 where an assertion does not hold', async () => {
    const must = put('must.yaml', 'max_error_rate: 0\np99_ms: 10\n');
    const { code, out } = await runKedge(['bench', 'report', load, '--assert', must, '--out', at('judged.html')], {});
    expect(out).toContain('holds   max_error_rate: 0: 0 %: 0 of 200');
    expect(out).toContain('FAILED  p99_ms: 10: 20 ms');
    expect(code).toBe(1);
    expect(readFileSync(at('judged.html'), 'utf8')).toContain('<strong>Failed: 1 of 2 assertions</strong>');
  });

  it('compares two, and says what else than the code differs', async () => {
    const other = put('other.json', handmade(rates([20, 5]), { settings: { rate: 5 } }));
    const { code, out } = await runKedge(['bench', 'report', load, '--against', other], {});
    expect(out).toMatch(/answered rightly +10\/s +5\/s +\+100 % +better\n/);
    expect(out).toContain('setting rate: not known, and 5 in the other run');
    expect(code).toBe(0);
    expect(readFileSync(at('load.html'), 'utf8')).toContain('Not a fair comparison');
  });

  it.each([
    ['a record that is none', [put('none.json', '{"figures": []}')], /is no record of a run/, 4],
    ['one of another release', [put('next.json', { ...handmade([{}]), schemaVersion: 2 })], /has schemaVersion 2/, 4],
    ['broken JSON', [put('broken.json', '{"schemaVersion": 1,')], /is no JSON/, 4],
    ['no file', [at('missing.json')], /missing\.json cannot be read/, 2],
    ['assertions that are none', [load, '--assert', put('no.yaml', 'p99_s: 3\n')], /did you mean p99_ms\?/, 2],
    ['a page over its record', [load, '--out', load], /would replace what the report is made of/, 2],
    ['a page where there is no folder', [load, '--out', at('no/page.html')], /cannot be written/, 2],
  ])('%s: a clear error', async (_, words, problem, exit) => {
    const { code, err } = await runKedge(['bench', 'report', ...words], {});
    expect(err).toMatch(problem);
    expect(code).toBe(exit);
  });
});
