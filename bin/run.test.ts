import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { integer, readSettings } from '../platform/settings.ts';
import type { Command } from './command.ts';
import { runCommand } from './run.ts';

const settings = {
  port: integer('KEDGE_PORT', 'port', { min: 0, max: 65_535 }),
  keep: integer('KEDGE_KEEP', 'versions', { min: 1, max: 9 }),
};
const command: Command = {
  summary: '',
  usage: '',
  options: { port: { type: 'string', env: 'KEDGE_PORT', about: '' } },
  settings,
  run: async ({ env }) => readSettings(settings, env).port,
};

describe('a problem with a setting', () => {
  const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
  const run = (words: string[], env: Record<string, string>): Promise<number> =>
    runCommand('serve', command, words, { env, out: sink, err: sink, signal: new AbortController().signal });

  it('names the option that was used for it', async () => {
    const expected = {
      code: 'config-invalid',
      message: expect.stringMatching(/^--port \(KEDGE_PORT\) must be .*\nKEDGE_KEEP must/),
    };
    await expect(run(['--port', 'x'], { KEDGE_KEEP: 'y' })).rejects.toMatchObject(expected);
  });
  it('names the variable alone where no option was used', () =>
    expect(run([], { KEDGE_PORT: 'x', KEDGE_KEEP: '1' })).rejects.toThrow(/^KEDGE_PORT must be/));
  it('is none', () => expect(run(['--port', '7'], { KEDGE_KEEP: '1' })).resolves.toBe(7));
});
