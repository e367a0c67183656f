import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, expect, it } from 'vitest';
import { figureCommand } from './figure-command.ts';
import { runCommand } from './run.ts';

const home = mkdtempSync(join(tmpdir(), 'kedge-figures-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const command = figureCommand({
  summary: 'doubles',
  numbers: { rounds: { value: 'N', about: 'rounds', default: 2, min: 1, integer: true } },
  async bench({ rounds }, { out, signal }) {
    out.write('measuring\n');
    signal.throwIfAborted();
    return { figures: [{ what: 'rounds', wanted: { atMost: 5 }, measured: [rounds] }], details: { kept: true } };
  },
});

async function run(words: string[], signal = new AbortController().signal): Promise<{ code: number; text: string }> {
  let text = '';
  const sink = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const code = await runCommand('bench it', command, words, { env: {}, out: sink, err: sink, signal });
  return { code, text };
}

it('ends with 0 where all figures are reached, and with 1 where one is missed', async () => {
  const { code, text } = await run([]);
  expect(code).toBe(0);
  expect(text).toMatch(/^measuring\n.*rounds.*<= 5/s);
  expect((await run(['--rounds', '6'])).code).toBe(1);
});

it('writes the figures and what else is kept', async () => {
  const file = join(home, 'figures.json');
  await run(['--json', file]);
  const { figures, kept } = JSON.parse(readFileSync(file, 'utf8'));
  expect(kept).toBe(true);
  expect(figures).toEqual([expect.objectContaining({ figure: 'rounds', median: 2, reached: true })]);
});

it('says that it was interrupted', async () => {
  expect(await run([], AbortSignal.abort())).toMatchObject({ code: 130, text: 'measuring\nkedge: interrupted.\n' });
});
