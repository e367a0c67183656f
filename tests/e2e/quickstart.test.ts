import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './programs.ts';
import { getJson } from './stage.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const shell = promisify(execFile);

/** Docs are checked by being run: the quickstart prints lines to try, and these are those lines. */
describe('npm run quickstart', () => {
  let child: ChildProcess;
  let text = '';
  let url: string;
  let lines: string[];

  const run = async (line: string): Promise<string> => (await shell('sh', ['-c', line], { cwd: ROOT })).stdout;
  const tip = (start: RegExp): string => lines.find((line) => start.test(line))!;
  const active = async (version: number): Promise<boolean> =>
    (await getJson(`${url}/v2/models/scooter-demand-centre/versions`)).body.active === String(version);

  beforeAll(async () => {
    child = spawn('npm', ['run', '--silent', 'quickstart'], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
    await eventually(
      async () => text.includes('Ctrl-C ends it.') || (child.exitCode !== null && text),
      'the lines to try',
      90_000,
    );
    lines = text.split('\n').map((line) => line.trim());
    url = /curl -s (http:\/\/127\.0\.0\.1:\d+)\/v1/.exec(text)![1]!;
  }, 120_000);
  afterAll(async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGKILL');
  });

  it('forecast a day that the history did not have, and shows it beside what came', () => {
    expect(text).toMatch(/After \d+ s: forecast of \d{4}-\d\d-\d\d, .* by domain rows: version 1, sha256:/);
    expect(lines.filter((line) => line.includes('██') && line.includes('●')).length).toBeGreaterThan(3);
    expect(text).toMatch(/scooter-demand-campus +\d+\.\d +\d+\.\d\n/);
  });

  it('prints a prediction that works', async () => {
    const { predictions } = JSON.parse(await run(tip(/^curl .*predict/)));
    expect(predictions).toEqual([{ trips: expect.any(Number) }]);
  });

  it('prints how to train anew and roll forward', async () => {
    expect(await run(tip(/^KEDGE_HISTORY.* history show/))).toMatch(/centre/);
    const report = await run(tip(/^KEDGE_HISTORY.* train /));
    if (/kept-back/.test(report)) return;
    expect(report).toMatch(/scooter-demand-centre +asked +version 2/);
    await eventually(() => active(2), 'version 2');
  }, 120_000);

  it('prints how a bad file is refused', async () => {
    await run(tip(/^mkdir .*html/));
    const found = await eventually(async () => {
      const { body } = await getJson(`${url}/v2/models/scooter-demand-centre/versions`);
      return body.versions.find(
        (entry: { version: string; state: string }) => entry.version === '9' && entry.state === 'refused',
      );
    }, 'the refusal');
    expect(found.reasons[0]).toMatchObject({ code: 'onnx-not-a-model', message: expect.stringMatching(/HTML/) });
  });

  it('prints how to go back', async () => {
    await run(tip(/^npm run kedge -- pin/));
    await eventually(() => active(1), 'version 1');
    expect(await run(tip(/^curl .*metrics/))).toMatch(/kedge_active_version/);
  }, 60_000);

  it('ends with Ctrl-C, and leaves nothing behind', async () => {
    const dir = /Logs: (\S+)\/load\.log/.exec(text)![1]!;
    const exited = once(child, 'exit');
    process.kill(-child.pid!, 'SIGINT');
    await exited;
    await eventually(async () => !existsSync(dir), 'the folder gone');
  }, 60_000);
});

describe('a quickstart that is broken off', () => {
  let temporary: string;
  beforeAll(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'kedge-broken-off-'));
  });
  afterAll(() => rm(temporary, { recursive: true, force: true }));

  it.each(['1. Making up', '2. Training', '3. Started'])(
    'at "%s" leaves nothing behind, and asks no database or queue of the user',
    async (step) => {
      const child = spawn(process.execPath, ['bin/kedge.ts', 'quickstart', '--once'], {
        cwd: ROOT,
        env: {
          ...process.env,
          TMPDIR: temporary,
          DATABASE_URL: 'postgres://127.0.0.1:1/no',
          REDIS_URL: 'redis://127.0.0.1:1',
        },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const exited = once(child, 'exit');
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        if (!text.includes(step) && (text + chunk).includes(step)) child.kill('SIGINT');
        text += chunk;
      });
      const [code] = await exited;
      expect(text).toContain(step);
      expect(code).toBe(130);
      // The runtime leaves files of its own there.
      expect((await readdir(temporary)).filter((name) => name.startsWith('kedge-'))).toEqual([]);
    },
    90_000,
  );
});
