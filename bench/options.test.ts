import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parseOptions, usageOf } from './options.ts';

const DEFAULTS = { rounds: 5, rate: 0.5 };

it('numbers with their defaults, texts, and the file of figures', () => {
  expect(parseOptions([], DEFAULTS, ['only'])).toEqual({ rounds: 5, rate: 0.5, only: undefined, json: undefined });
  expect(parseOptions(['--rounds', '2', '--only=gbdt', '--json', 'a.json'], DEFAULTS, ['only'])).toEqual({
    rounds: 2,
    rate: 0.5,
    only: 'gbdt',
    json: 'a.json',
  });
});

it('what is no number over 0, or no option, is refused', () => {
  expect(() => parseOptions(['--rounds', 'many'], DEFAULTS)).toThrow('--rounds must be a number over 0');
  expect(() => parseOptions(['--rounds', '0'], DEFAULTS)).toThrow('--rounds must be a number over 0');
  expect(() => parseOptions(['--only', 'gbdt'], DEFAULTS)).toThrow(/--only/);
});

it('--help asks for the usage, whatever else is said', () => {
  expect(parseOptions(['--rounds', '0', '--help'], DEFAULTS)).toBe('help');
  expect(usageOf('node bench/x.ts', DEFAULTS, ['only'])).toBe(
    'Usage: node bench/x.ts [--rounds 5] [--rate 0.5] [--only TEXT] [--json FILE]\n',
  );
});

it('every bench that npm runs tells its usage, and begins nothing', { timeout: 120_000 }, () => {
  const root = fileURLToPath(new URL('../', import.meta.url));
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: Record<string, string> };
  const own = Object.entries(scripts).flatMap(([name, command]) =>
    name.startsWith('bench:') ? (/^node (bench\/\S+\.ts)/.exec(command)?.slice(1) ?? []) : [],
  );
  expect(own.length).toBeGreaterThan(5);
  for (const file of own) {
    const told = execFileSync(process.execPath, [file, '--help'], { cwd: root, encoding: 'utf8' });
    expect(told, file).toMatch(new RegExp(`^Usage: node ${file} \\[--.*\\[--json FILE\\]\n`));
  }
});
