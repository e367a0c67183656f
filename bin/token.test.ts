import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { linearModel } from '../contract/onnx/testing/models.ts';
import { get, startTestServer } from '../server/testing/test-server.ts';
import { TestVolume } from '../server/testing/volume.ts';
import { runKedge } from '../tests/e2e/programs.ts';

const kedge = (...words: string[]) => runKedge(['token', ...words], {});
const TOKEN = /^kedge_[A-Za-z0-9_-]{43}$/;

async function made(...words: string[]): Promise<{ token: string; line: string }> {
  const { code, out, err } = await kedge(...words, '--json');
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out);
}

describe('kedge token', () => {
  it('makes another one each time, and a line that does not hold it', async () => {
    const [first, second] = [await made(), await made()];
    expect([first.token, second.token]).toEqual([expect.stringMatching(TOKEN), expect.stringMatching(TOKEN)]);
    expect(first.token).not.toBe(second.token);
    expect(first.line).toMatch(/^sha256:[0-9a-f]{64} predict$/);
    expect(first.line).not.toContain(first.token);
  });

  it('shows it in words, once', async () => {
    const { code, out } = await kedge('--scope', 'predict:demand,admin', '--note', 'billing');
    expect(code).toBe(0);
    expect(out).toMatch(/^The token, which is shown this once:\n\n {2}kedge_\S{43}\n/);
    expect(out).toMatch(/\n {2}sha256:[0-9a-f]{64} predict:demand,admin # billing\n$/);
  });

  it('keeps a note on its line', async () =>
    expect((await made('--note', 'a\nb;c#d')).line).toMatch(/^sha256:[0-9a-f]{64} predict # a b c d$/));

  it.each(['predit', 'predict,', 'predict:No Such Name', 'ADMIN'])('refuses the scope %j', async (scope) => {
    const { code, out, err } = await kedge('--scope', scope);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/is no scope: there are predict, predict:MODEL and admin/);
  });

  it('makes what a server takes, for what its scopes are', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kedge-token-'));
    const volume = new TestVolume();
    volume.add('demand', 1, linearModel());
    volume.add('other', 1, linearModel());
    await volume.write();
    const one = await made('--scope', 'predict:demand', '--note', 'billing');
    const boss = await made('--scope', 'admin');
    const file = join(dir, 'tokens');
    writeFileSync(file, `# who may\n${one.line}\n\n${boss.line}\n`);
    const server = await startTestServer(volume, { KEDGE_TOKENS_FILE: file });
    onTestFinished(async () => {
      await server.stop();
      volume.remove();
      rmSync(dir, { recursive: true });
    });
    await server.settle();
    const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] });
    const ask = async (path: string, token: string): Promise<number> => {
      const headers = { authorization: `Bearer ${token}` };
      return (await get(server.admin + path, { method: 'POST', body, headers })).status;
    };
    expect(await ask('/v2/models/demand/infer', one.token)).toBe(200);
    expect(await ask('/v2/models/other/infer', one.token)).toBe(403);
    expect(await ask('/v2/repository/models/demand/load', one.token)).toBe(403);
    expect(await ask('/v2/repository/models/demand/unload', `${boss.token}x`)).toBe(401);
    expect(await ask('/v2/models/demand/infer', boss.token)).toBe(403);
    // Its line is no token.
    expect(await ask('/v2/models/demand/infer', one.line.slice(0, 71))).toBe(401);
    expect(await ask('/v2/repository/models/demand/unload', boss.token)).toBe(200);
  });
});
