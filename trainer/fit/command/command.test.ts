import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { crossValidate } from '../../evaluate/cross-validate.ts';
import { samplesOf } from '../../evaluate/samples.ts';
import { splitByTime } from '../../evaluate/splits.ts';
import type { TrainingSet } from '../../table.ts';
import { checkParity } from '../parity.ts';
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
const ownAnswers = [...(await fitted.predict(table))].map((answer, row) => {
  const x = table.columns[0]!.values[row]!;
  return [Number.isNaN(x) ? '' : String(Math.fround(x)), answer] as const;
});
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
/** Answers of its own to check.csv, by the first cell of each line; `answer` makes others of them. */
const leavePredictions = (answer = 'own'): string => `
  const answers = new Map(${JSON.stringify(ownAnswers)});
  const asked = fs.readFileSync(dir + '/check.csv', 'utf8').trim().split('\\n').slice(1);
  const lines = asked.map((line) => answers.get(line.split(',')[0])).map((own) => ${answer});
  fs.writeFileSync(dir + '/output/predictions.csv', ['prediction', ...lines].join('\\n'));`;
const leaveBoth = `${leaveModel} ${leavePredictions()}`;
const fitBy = (body: string, settings: object = {}, options: object = {}) =>
  command.fit(set, { settings: { command: program(body), ...settings }, ...options });

describe('a command', () => {
  it('finds the table, the validation part, rows to answer, and the settings', async () => {
    const copy = join(home, 'seen');
    const rows = Uint32Array.from([0, 3, 7]);
    await fitBy(
      `fs.cpSync(dir, ${JSON.stringify(copy)}, { recursive: true }); ${leaveBoth}`,
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
    const made = await fitBy(leaveBoth);
    expect([...(await made.predict(table))]).toHaveLength(50);
    expect((await made.predict(table))[9]).toBeCloseTo((await fitted.predict(table))[9]!, 4);
    expect(made.answerShape(7)).toEqual([7, 1]);
    expect(Buffer.compare(made.onnx(), fitted.onnx())).toBe(0);
    expect(made.describe()['parity']).toMatchObject({ rows: 50 });
  });

  it('is held to its own answers, which are what it predicts for the rows that it was asked', async () => {
    const check = Uint32Array.from([40, 3, 7]);
    const off = await fitBy(`${leaveModel} ${leavePredictions('own + 1e-5')}`, {}, { check });
    const [own, others] = [await off.predict(table, check), await off.predict(table, Uint32Array.from([7, 8]))];
    const before = await fitted.predict(table);
    expect([...own]).toEqual([40, 3, 7].map((row) => before[row]! + 1e-5));
    expect(others[0]).toBe(own[2]);
    expect(others[1]! - before[8]!).toBeLessThan(5e-6);
    const parity = await checkParity(off, table, check);
    expect(parity.rows).toBe(3);
    expect(parity.maxAbs).toBeGreaterThan(5e-6);
    const [sample] = await samplesOf(off, table, check);
    expect(sample!.tolerance!.abs).toBeGreaterThan(5e-6);
  });

  it('must leave its own answers, and they must be its own', async () => {
    await expect(fitBy(leaveModel)).rejects.toThrow(
      /left no output\/predictions\.csv .* each of the 50 rows of check\.csv/,
    );
    const other = fitBy(`${leaveModel} ${leavePredictions('Math.exp(own)')}`);
    await expect(other).rejects.toThrow(/the export is not the model that was fitted/);
    const few = fitBy(`${leaveModel} fs.writeFileSync(dir + '/output/predictions.csv', 'prediction\\n1\\n')`);
    await expect(few).rejects.toThrow(/one number for each of the 50 rows of check.csv/);
  });

  it('is asked for the rows that it is judged by, which it never saw', async () => {
    const copy = join(home, 'asked');
    const splits = splitByTime({ ...set, times: Float64Array.from({ length: 50 }, (_, at) => at) }, { splits: 2 });
    const settings = {
      command: program(`
        const name = ${JSON.stringify(copy)} + (fs.existsSync(${JSON.stringify(`${copy}-1`)}) ? '-2' : '-1');
        fs.cpSync(dir, name, { recursive: true }); ${leaveModel} ${leavePredictions('own + 1e-5')}`),
      objective: 'squared-error',
    };
    const { splits: scores } = await crossValidate(command, set, splits, { settings, seed: 0, now: () => 0 });
    expect(scores.map(({ parity }) => [parity.rows, parity.maxAbs > 5e-6])).toEqual([
      [16, true],
      [16, true],
    ]);
    const seen = ['asked-1', 'asked-2'];
    const firstCells = (folder: string, file: string): string[] =>
      readFileSync(join(home, folder, file), 'utf8')
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(',')[0]!);
    expect(seen.map((folder) => firstCells(folder, 'check.csv'))).toEqual(
      splits.map(({ test }) => Array.from(test, (row) => ownAnswers[row]![0])),
    );
    for (const folder of seen) {
      const learned = new Set(firstCells(folder, 'train.csv'));
      expect(firstCells(folder, 'check.csv').filter((cell) => learned.has(cell))).toEqual([]);
    }
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
    ['no model', leavePredictions(), /left no output\/model.onnx/],
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
