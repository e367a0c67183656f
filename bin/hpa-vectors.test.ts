import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { command } from './commands/bench/hpa-vectors.ts';
import { runCommand } from './run.ts';

const home = mkdtempSync(join(tmpdir(), 'kedge-vectors-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** @param cases what the file holds */
async function vectors(cases: unknown): Promise<{ code: number; out: string }> {
  const file = join(home, 'cases.json');
  writeFileSync(file, JSON.stringify(cases));
  let out = '';
  const sink = new Writable({
    write(chunk, _encoding, done) {
      out += chunk;
      done();
    },
  });
  const io = { env: {}, out: sink, err: sink, signal: new AbortController().signal };
  const code = await runCommand('bench hpa-vectors', command, [file], io);
  return { code, out };
}

const right = {
  name: 'double at most',
  fn: 'convertDesiredReplicasWithRules',
  currentReplicas: 3,
  prenormalizedDesiredReplicas: 20,
  minReplicas: 1,
  maxReplicas: 20,
  expected: { replicas: 6 },
};

describe('kedge bench hpa-vectors', () => {
  it('ends with 0 where all come out, and with 1 where there are none', async () => {
    expect(await vectors([right])).toEqual({ code: 0, out: '1 passed, 0 failed\n' });
    expect(await vectors([])).toEqual({ code: 1, out: '0 passed, 0 failed\n' });
  });

  it('counts a case that cannot be run, or expects nothing, as one that failed, and runs the others', async () => {
    const unreadable = {
      name: 'unsaid',
      fn: 'GetMetricReplicas',
      currentReplicas: 1,
      target: 5,
      expected: { replicas: 1 },
    };
    const { code, out } = await vectors([unreadable, right, { ...right, name: 'hollow', expected: {} }]);
    expect(code).toBe(1);
    expect(out).toBe(`GetMetricReplicas: unsaid
  it lacks metricType, which GetMetricReplicas needs
convertDesiredReplicasWithRules: hollow
  it expects nothing; say what must come out
1 passed, 2 failed
`);
  });

  it.each([{ cases: [] }, [1], [{ name: 'no function', expected: {} }]])(
    'refuses what is no file of cases: %j',
    async (cases) => {
      await expect(vectors(cases)).rejects.toThrow('must be an array of cases, each with name, fn and expected');
    },
  );
});
