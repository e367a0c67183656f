import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { inspect } from '../../registry/inspect.ts';
import { openStore } from '../../registry/open-store.ts';
import { hasRedis, startRedis, withRedis } from '../../trainer/queue/testing/redis.ts';
import { type CommandResult, type Env, runKedge } from './programs.ts';

const LINE = fileURLToPath(new URL('../../trainer/run/testing/line.ts', import.meta.url));

vi.setConfig({ testTimeout: 180_000 });

/** The Job before a deployment, where the first version of a model is worse than the rule of thumb. */
describe('a first model that the gate keeps back', () => {
  let folder: string;
  let env: Env;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kedge-first-'));
    await mkdir(join(folder, 'bucket'));
    env = {
      KEDGE_BUCKET: `file://${folder}/bucket`,
      KEDGE_TRAINER: LINE,
      KEDGE_GATE_RUN_SECONDS: '60',
      LINE_SETTINGS: JSON.stringify({ poor: 'line-a' }),
    };
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const kedge = (...words: string[]): Promise<CommandResult> => runKedge(words, env);

  const COMMAND = 'kedge train --ensure --force --models line-a';
  const expectLacking = ({ code, out, err }: CommandResult): void => {
    expect({ code, err }).toEqual({ code: 42, err: expect.stringContaining(COMMAND) });
    expect(err).toMatch(/1 of the models have no version for this code: .*\nThe gate kept back line-a: /);
    expect(out).toMatch(/line-a: It does not beat the rule of thumb: its loss is /);
    // The others are not held up.
    expect(out).toMatch(/line-b +missing +version 1/);
  };

  it('ends --ensure with 42 and with the command that publishes it nevertheless; the others are published', async () => {
    expectLacking(await kedge('train', '--ensure'));
    const again = await kedge('train', '--ensure');
    expect(again).toMatchObject({ code: 42, out: expect.not.stringMatching(/line-b/) });

    const forced = await kedge(...COMMAND.split(' ').slice(1));
    expect(forced).toMatchObject({ code: 0, out: expect.stringMatching(/line-a +missing +version 1 \(forced\)/) });
    expect(await kedge('train', '--ensure')).toMatchObject({ code: 0, out: 'There is nothing to train.\n' });
    const { manifest } = await inspect(openStore(env['KEDGE_BUCKET']!), 'line-a', 1);
    expect(manifest!.training).toMatchObject({
      gate: { passed: false, forced: true, reasons: ['not-better-than-naive'] },
    });
  });

  it('is no fault of the nightly training, which ensures nothing', async () => {
    expect(await kedge('train', '--stale', '20h')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/1 kept-back/),
    });
  });

  it.skipIf(!hasRedis)(withRedis('ends the finish of a training on many machines likewise'), async () => {
    const redis = await startRedis();
    try {
      env['REDIS_URL'] = redis.url;
      expect(await kedge('train', 'master', '--ensure')).toMatchObject({ code: 0 });
      expect(await kedge('train', 'worker')).toMatchObject({ code: 0 });
      expectLacking(await kedge('train', 'finish'));
    } finally {
      await redis.stop();
    }
  });
});
