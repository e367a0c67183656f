import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { TrainingSet } from '../../table.ts';
import { ridge } from '../ridge/ridge.ts';
import { categorical, numeric, tableOf } from '../testing/tables.ts';
import { command } from './command.ts';

/** Programs as users write them, run for real. Each gets the folder as its last argument. */
const home = mkdtempSync(join(tmpdir(), 'kedge-command-test-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const table = tableOf(
  numeric(
    'x',
    Array.from({ length: 50 }, (_, at) => (at === 3 ? Number.NaN : at / 3)),
  ),
  categorical(
    'a "b", c',
    Array.from({ length: 50 }, (_, at) => at % 3),
  ),
);
const set: TrainingSet = {
  table,
  target: Float64Array.from({ length: 50 }, (_, at) => at / 3 + 1),
  weights: new Float64Array(50).fill(2),
};
const fitted = await ridge.fit(set);
const model = join(home, 'ready.onnx');
writeFileSync(model, fitted.onnx());

let programs = 0;
function program(body: string): string[] {
  programs += 1;
  const file = join(home, `program-${programs}.mjs`);
  writeFileSync(file, `import fs from 'node:fs';\nconst dir = process.argv.at(-1);\n${body}`);
  return [process.execPath, file];
}
const leaveModel = `fs.copyFileSync(${JSON.stringify(model)}, dir + '/output/model.onnx');`;
const fitBy = (body: string, settings: object = {}, options: object = {}) =>
  command.fit(set, { settings: { command: program(body), ...settings }, ...options });

describe('a command', () => {
  it('finds the table, the validation part, rows to answer, and the settings', async () => {
    const copy = join(home, 'seen');
    const rows = Uint32Array.from([0, 3, 7]);
    await fitBy(
      `fs.cpSync(dir, ${JSON.stringify(copy)}, { recursive: true }); ${leaveModel}`,
      { settings: { leaves: 7 }, objective: 'squared-error' },
      { validation: { ...set, rows }, seed: 12 },
    );
    const lines = (name: string): string[] => readFileSync(join(copy, name), 'utf8').trim().split('\n');
    expect(lines('train.csv').slice(0, 5)).toEqual([
      'x,"a ""b"", c",__target__,__weight__',
      '0,0,1,2',
      '0.3333333432674408,1,1.3333333333333333,2',
      '0.6666666865348816,2,1.6666666666666665,2',
      ',0,2,2',
    ]);
    expect(lines('train.csv')).toHaveLength(51);
    expect(lines('validation.csv')).toHaveLength(4);
    expect(lines('check.csv')).toEqual(['x,"a ""b"", c"', '0,0', ',0', '2.3333332538604736,1']);
    expect(JSON.parse(readFileSync(join(copy, 'settings.json'), 'utf8'))).toEqual({
      objective: 'squared-error',
      seed: 12,
      target: '__target__',
      weight: '__weight__',
      columns: [
        { name: 'x', kind: 'numeric' },
        { name: 'a "b", c', kind: 'categorical' },
      ],
      input: 'features',
      output: 'prediction',
      validation: true,
      settings: { leaves: 7 },
    });
  });

  it('makes a model that answers', async () => {
    const made = await fitBy(leaveModel);
    expect([...(await made.predict(table))]).toHaveLength(50);
    expect((await made.predict(table))[9]).toBeCloseTo((await fitted.predict(table))[9]!, 4);
    expect(made.answerShape(7)).toEqual([7, 1]);
    expect(Buffer.compare(made.onnx(), fitted.onnx())).toBe(0);
    expect(made.describe()['parity']).toMatch(/not checked/);
  });

  it('is held to its own answers where it leaves them', async () => {
    const answers = [...(await fitted.predict(table))];
    const leave = (numbers: readonly number[]): string =>
      `${leaveModel} fs.writeFileSync(dir + '/output/predictions.csv', ${JSON.stringify(`prediction\n${numbers.join('\n')}\n`)});`;
    expect((await fitBy(leave(answers))).describe()['parity']).toMatchObject({ rows: 50 });
    await expect(fitBy(leave(answers.map(Math.exp)))).rejects.toThrow(/the export is not the model that was fitted/);
    await expect(fitBy(leave(answers.slice(1)))).rejects.toThrow(/one number for each of the 50 rows of check.csv/);
  });
});

describe('what goes wrong is told', () => {
  it.each([
    [
      'a failure, with what it wrote last',
      `console.error('no such leaf'); process.exit(3)`,
      /failed with exit code 3\. It wrote last:\nno such leaf/,
    ],
    ['an end by a signal', `process.kill(process.pid, 'SIGKILL')`, /was ended by SIGKILL\. It wrote nothing/],
    ['no model', '', /left no output\/model.onnx/],
    ['what is no model', `fs.writeFileSync(dir + '/output/model.onnx', '{"a": 1}')`, /does not fit its table/],
  ])('%s', async (_, body, message) => {
    const made = fitBy(body);
    await expect(made).rejects.toThrow(message);
    await expect(made).rejects.toMatchObject({ code: 'fit-failed' });
  });

  it('a program that is not there', async () => {
    const made = command.fit(set, { settings: { command: ['/nowhere/fit'] } });
    await expect(made).rejects.toThrow(/'\/nowhere\/fit .* cannot be started: .*ENOENT/);
  });

  it('a model of other inputs', async () => {
    const other = await ridge.fit(
      { ...set, table: tableOf(table.columns[0]!) },
      { names: { input: 'x', output: 'y' } },
    );
    writeFileSync(join(home, 'other.onnx'), other.onnx());
    const made = fitBy(`fs.copyFileSync(${JSON.stringify(join(home, 'other.onnx'))}, dir + '/output/model.onnx')`);
    await expect(made).rejects.toThrow(/its inputs are 'x'; it must have one, 'features'/);
  });

  it('no command', async () => {
    await expect(command.fit(set, { settings: {} })).rejects.toThrow(/command: /);
  });

  it('a column whose name the files need', async () => {
    const taken = { ...set, table: tableOf(numeric('__target__', new Array(50).fill(1))) };
    await expect(command.fit(taken, { settings: { command: program('') } })).rejects.toThrow(
      /cannot be named '__target__'/,
    );
  });
});

describe('a command that does not end', () => {
  const gone = async (pid: number): Promise<void> => {
    for (let tries = 0; tries < 500; tries += 1) {
      try {
        process.kill(pid, 0);
      } catch {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`process ${pid} is still there`);
  };
  // It starts a process of its own, says both ids, and waits.
  const stubborn = (file: string): string => `
    import { spawn } from 'node:child_process';
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
    fs.writeFileSync(${JSON.stringify(file)}, process.pid + ' ' + child.pid);
    setInterval(() => {}, 1e6);`;

  it('is ended with all that it started, when the limit is over', async () => {
    const file = join(home, 'late');
    await expect(fitBy(stubborn(file), { timeoutSeconds: 1.5 })).rejects.toThrow(
      /took longer than 1\.5 s and was ended/,
    );
    for (const pid of readFileSync(file, 'utf8').split(' ')) await gone(Number(pid));
  });

  it('is ended on abort, with the reason', async () => {
    const file = join(home, 'aborted');
    const stop = new AbortController();
    const made = fitBy(stubborn(file), {}, { signal: stop.signal });
    const failed = expect(made).rejects.toThrow('no longer wanted');
    for (;;) {
      try {
        if (readFileSync(file, 'utf8').includes(' ')) break;
      } catch {
        // Not there yet.
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    stop.abort(new Error('no longer wanted'));
    await failed;
    for (const pid of readFileSync(file, 'utf8').split(' ')) await gone(Number(pid));
  });
});
