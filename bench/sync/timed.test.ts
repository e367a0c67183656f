import { expect, it } from 'vitest';
import { timed } from './timed.ts';

const signal = new AbortController().signal;

it('tells how a program ended, and what it and its children took', async () => {
  const burn = 'const end = process.cpuUsage().user + 300_000; while (process.cpuUsage().user < end);';
  const child = `require('node:child_process').execFileSync(process.execPath, ['-e', ${JSON.stringify(burn)}]);`;
  const { code, seconds, cpuSeconds } = await timed([process.execPath, '-e', child], {}, signal);
  expect(code).toBe(0);
  expect(cpuSeconds).toBeGreaterThanOrEqual(0.3);
  expect(seconds).toBeGreaterThan(0);
});

it('and what it complained of', async () => {
  const program = `console.error('no such bucket ' + process.env.BUCKET); process.exit(4);`;
  const { code, complaint } = await timed([process.execPath, '-e', program], { BUCKET: 'b' }, signal);
  expect(code).toBe(4);
  expect(complaint).toBe('no such bucket b');
});
