import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitOf, thisMachine } from './machine.ts';

it('tells of this machine', () => {
  const machine = thisMachine();
  expect(machine).toMatchObject({ node: process.version, cores: availableParallelism() });
  expect(machine.cpu).toMatch(/\S/);
  expect(machine.os).toContain(process.arch);
  expect(machine.memoryBytes).toBeGreaterThan(0);
  expect(machine.memoryBytes).toBeLessThanOrEqual(totalmem());
});

describe('the commit of a file', () => {
  let dir: string;
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', dir, '-c', 'user.name=a', '-c', 'user.email=a@b.example', ...args], {
      encoding: 'utf8',
    }).trim();
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'kedge-commit-'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('is absent outside of a repository, that of the repository, and -dirty once a file was changed', () => {
    const file = join(dir, 'known.ts');
    writeFileSync(file, '1');
    expect(commitOf(dir, 'known.ts')).toBeUndefined();
    git('init', '-q');
    git('add', 'known.ts');
    git('commit', '-q', '-m', 'one');
    const commit = git('rev-parse', '--short=12', 'HEAD');
    expect(commitOf(dir, 'known.ts')).toBe(commit);
    writeFileSync(join(dir, 'other.ts'), '1');
    expect(commitOf(dir, 'known.ts')).toBe(commit);
    expect(commitOf(dir, 'other.ts')).toBeUndefined();
    writeFileSync(file, '2');
    expect(commitOf(dir, 'known.ts')).toBe(`${commit}-dirty`);
  });
});
