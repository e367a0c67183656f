/**
 * Checks the alert rules with promtool, and runs their unit tests. The rules stand within an object of the Prometheus operator, which promtool does
 * not read, so what it reads is written to a folder first. Usage: node tests/manifests/promtool.ts PROMTOOL
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { ruleGroups } from './expressions.ts';

const promtool = process.argv[2] ?? 'promtool';
const folder = mkdtempSync(join(tmpdir(), 'kedge-rules-'));
try {
  writeFileSync(join(folder, 'rules.yaml'), stringify({ groups: ruleGroups() }));
  copyFileSync(fileURLToPath(new URL('rules.test.yaml', import.meta.url)), join(folder, 'rules.test.yaml'));
  for (const args of [
    ['check', 'rules', 'rules.yaml'],
    ['test', 'rules', 'rules.test.yaml'],
  ])
    execFileSync(promtool, args, { cwd: folder, stdio: 'inherit' });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
