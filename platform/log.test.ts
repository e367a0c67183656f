import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const LOG = new URL('./log.ts', import.meta.url).href;

/** What a program of these lines writes to standard error, through a pipe. */
async function linesOf(program: string): Promise<Record<string, unknown>[]> {
  const source = `import { createBufferedLog, createLog } from '${LOG}'; ${program}`;
  const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source], {
    maxBuffer: 16 * 2 ** 20,
  });
  return stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

it('writes JSON lines of the level that was asked for, with name and time', async () => {
  const lines = await linesOf(`const log = createLog('serve', 'warn'); log.info('no'); log.warn({ a: 1 }, 'yes')`);
  expect(lines).toEqual([
    { level: 'warn', time: expect.stringMatching(/^\d{4}-.*Z$/), program: 'serve', a: 1, msg: 'yes' },
  ]);
});

it('writes errors whole, as what happened and as what lies behind it', async () => {
  const [line] = await linesOf(`const log = createLog('serve', 'info');
    log.warn({ err: new TypeError('a', { cause: new Error('b') }), cause: new RangeError('c') }, 'd')`);
  expect(line).toMatchObject({
    err: { type: 'TypeError', message: 'a: b', stack: expect.stringContaining('caused by') },
    cause: { type: 'RangeError', message: 'c', stack: expect.any(String) },
  });
});

it('loses none of many buffered lines at the end, and mixes none with others', async () => {
  const lines = await linesOf(`
    const log = createLog('serve', 'info');
    const many = createBufferedLog('serve');
    const filler = 'x'.repeat(500);
    for (let index = 0; index < 3000; index += 1) {
      many.info({ index, filler }, 'many');
      if (index % 100 === 0) log.info({ index, filler }, 'few');
      if (index % 50 === 0) await new Promise(setImmediate);
    }
    await new Promise((resolve) => many.flush(resolve));
  `);
  const of = (kind: string) => lines.filter(({ msg }) => msg === kind).map(({ index }) => index);
  expect(of('many')).toEqual(Array.from({ length: 3000 }, (_, index) => index));
  expect(of('few')).toHaveLength(30);
});

it('drops lines that nobody reads rather than wait or grow, and tells how many', async () => {
  const source = `import { createBufferedLog } from '${LOG}';
    let dropped = 0;
    const many = createBufferedLog('serve', () => { dropped += 1; });
    const filler = 'x'.repeat(1000);
    for (let index = 0; index < 10_000; index += 1) many.info({ index, filler });
    process.stdout.write(String(dropped));`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source], {
    maxBuffer: 16 * 2 ** 20,
  });
  const [dropped, written] = [Number(stdout), stderr.trimEnd().split('\n').length];
  expect([dropped > 5_000, written > 3_500, dropped + written]).toEqual([true, true, 10_000]);
});

it('buffered lines are out at an end without a flush', async () => {
  const lines = await linesOf(`const many = createBufferedLog('serve');
    for (let index = 0; index < 200; index += 1) many.info({ index }, 'many');
    process.exit();`);
  expect(lines).toHaveLength(200);
});
