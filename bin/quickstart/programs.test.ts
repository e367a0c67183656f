import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ChildProgram, startProgram, untilBrokenOff } from './programs.ts';

describe('programs that the quickstart waits on', () => {
  const script = process.argv[1]!;
  let dir: string;
  const programs: ChildProgram[] = [];
  const start = async (name: string, code: string): Promise<void> => {
    process.argv[1] = join(dir, `${name}.mjs`);
    await writeFile(process.argv[1], code);
    programs.push(startProgram(name, dir, process.env));
  };
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kedge-programs-'));
  });
  afterEach(async () => {
    process.argv[1] = script;
    for (const program of programs.splice(0)) await program.stop();
    await rm(dir, { recursive: true });
  });
  const STAYS = 'setInterval(() => {}, 1000)';

  it('one that dies by itself is told with the end of its log', async () => {
    await start('load', STAYS);
    await start('serve', "console.error('first\\nthe port is gone'); process.exitCode = 7;");
    await expect(untilBrokenOff(programs, new AbortController().signal)).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringMatching(/kedge serve ended with 7; its log ends:\n[\s\S]*the port is gone/),
    });
  });

  it('the user breaks off', async () => {
    await start('load', STAYS);
    const controller = new AbortController();
    const waited = untilBrokenOff(programs, controller.signal);
    controller.abort();
    await expect(waited).resolves.toBeUndefined();
    await expect(untilBrokenOff(programs, controller.signal)).resolves.toBeUndefined();
  });
});
