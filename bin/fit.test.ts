import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseJson } from '../contract/json.ts';
import { detailsSchema } from '../contract/manifest.ts';
import { runKedge } from '../tests/e2e/programs.ts';
import { seededRandom } from '../trainer/fit/random.ts';
import { readPart, readSeason, readSeed, readSplit } from './fit-options.ts';

const home = mkdtempSync(join(tmpdir(), 'kedge-fit-command-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const at = (name: string): string => join(home, name);

/** Eight weeks of hours in two zones: a rhythm of day and week, some missing temperatures. */
function trips(): string {
  const random = seededRandom(2);
  const lines = ['hour,zone,temperature,hour of day,weekday,trips'];
  for (let hour = 0; hour < 8 * 168; hour += 1) {
    const time = new Date(Date.UTC(2026, 0, 5, hour));
    for (const [index, zone] of ['centre', 'harbour'].entries()) {
      const mean =
        4 +
        3 * index +
        8 * Math.max(0, Math.sin(((time.getUTCHours() - 6) * Math.PI) / 12)) +
        (time.getUTCDay() % 6 === 0 ? 5 : 0);
      const temperature = random() < 0.1 ? '' : (10 * random()).toFixed(1);
      lines.push(
        [
          time.toISOString().slice(0, 16),
          zone,
          temperature,
          time.getUTCHours(),
          time.getUTCDay(),
          Math.round(mean * (0.7 + 0.6 * random())),
        ].join(','),
      );
    }
  }
  return `${lines.join('\n')}\n`;
}
writeFileSync(at('trips.csv'), trips());

describe('kedge fit', () => {
  it('makes a model that is judged by time, and that publish takes', async () => {
    const words = [
      'fit',
      at('trips.csv'),
      '-t',
      'trips',
      '--time',
      'hour',
      '--group',
      'zone',
      '--split',
      'splits=3,gap=48',
      '-o',
      at('m.onnx'),
    ];
    const { code, out, err } = await runKedge(words, {});
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(
      /trips\.csv: 2688 rows, 3 numbers and 1 categories, target trips\ngbdt, poisson, judged on later rows/,
    );
    expect(out).toMatch(/split +train +test +mae +rmse +poissonDeviance .* mae of naive +fit\n1 +624 +672 /);

    const report = JSON.parse(readFileSync(at('m.report.json'), 'utf8'));
    expect(report.evaluation.baseline).toBe('seasonal-naive');
    expect(report.evaluation.metrics.mae).toBeLessThan(report.evaluation.baselineMetrics.mae);
    expect(Object.keys(report.evaluation.splits[0].groups)).toEqual(['centre', 'harbour']);
    expect(report.parity.rows).toBe(2000);
    const details = detailsSchema.parse(parseJson(readFileSync(at('m.details.json'), 'utf8')));
    expect(details.training).toMatchObject({ rows: 2688, window: ['2026-01-05', '2026-03-01'] });
    expect(details.baseline).toMatchObject({ features: { zone: { categories: [0, 1], counts: [1344, 1344] } } });

    mkdirSync(at('bucket'));
    const published = await runKedge(['publish', at('m.onnx'), '-m', 'trips', '--details', at('m.details.json')], {
      KEDGE_BUCKET: `file://${at('bucket')}`,
    });
    expect(published.out).toMatch(/^Published trips version 1/);
    const inspected = await runKedge(['inspect', 'trips', '1'], { KEDGE_BUCKET: `file://${at('bucket')}` });
    expect(inspected.out).toMatch(/features FP32\[-1,4\][\s\S]*Nothing here speaks against/);
  });

  it('takes settings, another fitter, and no splits; the same seed makes the same bytes', async () => {
    writeFileSync(at('s.json'), '{"trees": 7, "objective": "squared-error"}');
    const words = [
      'fit',
      at('trips.csv'),
      '-t',
      'trips',
      '--ignore',
      'hour',
      '--settings',
      at('s.json'),
      '--split',
      'none',
      '--json',
    ];
    const first = await runKedge([...words, '-o', at('a.onnx')], {});
    expect(JSON.parse(first.out)).toMatchObject({ objective: 'squared-error', model: { trees: 7 } });
    await runKedge([...words, '-o', at('b.onnx')], {});
    expect(readFileSync(at('b.onnx')).equals(readFileSync(at('a.onnx')))).toBe(true);
    const ridge = ['fit', at('trips.csv'), '-t', 'trips', '--ignore', 'hour', '--fitter', 'ridge', '-o', at('r.onnx')];
    expect((await runKedge(ridge, {})).out).toMatch(/ridge, squared-error, judged on rows drawn at random/);
  });

  it.each<[string, string, string[], number, RegExp]>([
    ['a constant target', 'x,y\n1,5\n2,5\n3,5\n', [], 2, /The target is 5 in all 3 rows: there is nothing to learn\./],
    ['too few rows', 'x,y\n1,5\n2,6\n', ['--time', 'x', '--ignore', 'y'], 2, /has no columns besides the target/],
    ['too few rows for the splits', 't,x,y\n1,1,5\n2,1,6\n', ['--time', 't'], 2, /2 rows are too few for 5 splits/],
    ['no target of that name', 'x,y\n1,2\n', ['-t', 'z'], 2, /has no column 'z'/],
    [
      'settings that the fitter does not take',
      'x,y\n1,2\n2,3\n',
      ['--settings', at('bad.json'), '--split', 'none'],
      2,
      /Unrecognized key: "leaves"/,
    ],
    [
      'an objective that there is not',
      'x,y\n1,2\n2,3\n',
      ['--settings', at('odd.json'), '--split', 'none'],
      2,
      /objective: /,
    ],
    [
      'a fitter that there is not',
      'x,y\n1,2\n',
      ['--fitter', 'forest'],
      2,
      /no fitter 'forest': choose one of gbdt, ridge, command/,
    ],
    ['a split that is none', 'x,y\n1,2\n', ['--split', 'weekly'], 2, /--split must be .* not 'weekly'/],
    [
      'what a split does with times where there are none',
      'x,y\n1,2\n',
      ['--split', 'splits=2,gap=0,test=10,max-train=50'],
      2,
      /--split gap, test, max-train cannot be heeded without times: name their column with --time/,
    ],
    ['a season without times', 'x,y\n1,2\n', ['--season', '7d'], 2, /--season cannot be heeded without times/],
  ])('%s is told, and nothing is written', async (_, text, more, wanted, message) => {
    writeFileSync(at('bad.json'), '{"leaves": 3}');
    writeFileSync(at('odd.json'), '{"objective": "huber"}');
    writeFileSync(at('odd.csv'), text);
    const words = ['fit', at('odd.csv'), ...(more.includes('-t') ? [] : ['-t', 'y']), ...more, '-o', at('odd.onnx')];
    const { code, err } = await runKedge(words, {});
    expect(err).toMatch(message);
    expect(code).toBe(wanted);
    expect(existsSync(at('odd.onnx'))).toBe(false);
  });
});

describe('where kedge fit writes', () => {
  const table = 'x,y\n1,2\n2,3\n3,1\n4,4\n';
  const fitTo = (out: string, ...more: string[]) =>
    runKedge(['fit', at('w.csv'), '-t', 'y', '--split', 'none', ...more, '-o', out], {});

  it.each<[string, string, RegExp]>([
    ['the table', at('w.csv'), /w\.csv is the table, which would be lost/],
    ['a link to the table', at('w-link.csv'), /w-link\.csv is the table/],
    ['the file of settings', at('w.json'), /w\.json is the file of settings/],
    ['beside what would be the file of settings', at('w2.onnx'), /w2\.report\.json is the file of settings/],
    ['a folder', home, /is a folder/],
    ['below a file', at('w.csv/m.onnx'), /nothing can be written to .*w\.csv.* Name a file in a folder/],
  ])('%s is refused before anything is read', async (_, out, message) => {
    writeFileSync(at('w.csv'), `${table}not,a number\n`);
    rmSync(at('w-link.csv'), { force: true });
    symlinkSync(at('w.csv'), at('w-link.csv'));
    const settings = out.endsWith('w2.onnx') ? at('w2.report.json') : at('w.json');
    writeFileSync(settings, '{}');
    const { code, err } = await fitTo(out, '--settings', settings);
    expect(err).toMatch(message);
    expect(code).toBe(2);
    expect(readFileSync(at('w.csv'), 'utf8')).toBe(`${table}not,a number\n`);
    expect(readFileSync(settings, 'utf8')).toBe('{}');
  });

  it('a folder that is not there is made', async () => {
    writeFileSync(at('w.csv'), table);
    expect(await fitTo(at('new/models/w.onnx'))).toMatchObject({ code: 0, err: '' });
    expect(readdirSync(at('new/models')).sort()).toEqual(['w.details.json', 'w.onnx', 'w.report.json']);
  });
});

describe('options as a person writes them', () => {
  it('splits', () => {
    expect(readSplit(undefined)).toEqual({ splits: 5 });
    expect(readSplit('3')).toEqual({ splits: 3 });
    expect(readSplit('splits=2, gap=0,test=10,max-train=100')).toEqual({
      splits: 2,
      gap: 0,
      testSize: 10,
      maxTrain: 100,
    });
    expect(readSplit('none')).toBeUndefined();
    for (const text of ['0', 'splits=0', 'gap', 'test=-1', 'other=3', ''])
      expect(() => readSplit(text)).toThrow(/--split must be/);
  });

  it('seasons, parts and seeds', () => {
    expect([readSeason('7d'), readSeason('24h'), readSeason('168'), readSeason(undefined)]).toEqual([
      604_800,
      86_400,
      168,
      undefined,
    ]);
    expect([readPart('0.1'), readPart(undefined), readSeed('7'), readSeed(undefined)]).toEqual([0.1, 0, 7, 0]);
    expect(() => readSeason('a week')).toThrow(/--season/);
    expect(() => readPart('1')).toThrow(/--validation/);
    expect(() => readSeed('-1')).toThrow(/--seed/);
  });
});
