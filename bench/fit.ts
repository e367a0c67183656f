import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Fitted, writeBike, writeLarge } from './fit/task.ts';
import { readOptions } from './options.ts';
import { cores } from './processes.ts';
import { conclude, type Figure, rounded } from './verdict.ts';

/**
 * What fitting costs and how good it is, beside scikit-learn and LightGBM from PyPI, on the same rows, each side in a process of its own on the same core and
 * one thread, in turns. Times are CPU seconds of the fit alone, which other load on the machine disturbs least; on an idle core they are the time that passes.
 *
 *   node bench/fit.ts [--rounds 3] [--rows 1000000] [--json FILE]
 */
const { json, ...options } = readOptions({ rounds: 3, rows: 1_000_000 });
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const BIKE_CSV = here('../../shared/data/bike-sharing-hour.csv');

/** Runs a side to its end. Its last line is what it came to. */
async function run(words: readonly string[]): Promise<Fitted> {
  const [program, ...rest] = cores.server === undefined ? words : ['taskset', '-c', String(cores.server), ...words];
  const child = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}`);
  return JSON.parse(text.trim().split('\n').at(-1)!) as Fitted;
}

type Score = keyof Fitted['splits'][number];
const meanOf = ({ splits }: Fitted, score: Score): number =>
  splits.reduce((sum, split) => sum + split[score], 0) / splits.length;

interface Round {
  ours: Fitted;
  peer: Fitted;
}

async function rounds(peer: string, dir: string): Promise<Round[]> {
  const all: Round[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const ours = await run([process.execPath, '--expose-gc', here('fit/ours.ts'), dir]);
    all.push({ ours, peer: await run([python, here('fit/peers.py'), peer, dir]) });
  }
  const told = (side: Fitted): object =>
    Object.fromEntries(
      (['mae', 'rmse', 'cpuSeconds', 'seconds'] as const).map((score) => [score, rounded(meanOf(side, score))]),
    );
  console.table(
    all.flatMap(({ ours, peer: other }) => [
      { side: 'kedge', ...told(ours) },
      { side: peer, ...told(other) },
    ]),
  );
  return all;
}

const ratios = (all: readonly Round[], score: Score): number[] =>
  all.map(({ ours, peer }) => meanOf(ours, score) / meanOf(peer, score));

async function bike(dir: string): Promise<Figure[]> {
  await writeBike(dir, BIKE_CSV);
  process.stdout.write('\nBicycle hire by the hour, 5 splits of 10,000 and 1,000 rows, means over the splits\n');
  const all = await rounds('sklearn', dir);
  return [
    { what: 'bike: MAE to scikit-learn', wanted: { atMost: 1 }, measured: ratios(all, 'mae') },
    { what: 'bike: RMSE', wanted: { atMost: 0.0656 }, measured: all.map(({ ours }) => meanOf(ours, 'rmse')) },
    { what: 'bike: fit time to scikit-learn', wanted: { atMost: 2 }, measured: ratios(all, 'cpuSeconds') },
  ];
}

async function large(dir: string): Promise<Figure[]> {
  writeLarge(dir, options.rows);
  process.stdout.write(`\n${options.rows} rows of 20 numbers, 100 trees of 31 leaves\n`);
  const all = await rounds('lightgbm', dir);
  const binned = options.rows * 20;
  const peaks = all.flatMap(({ ours }) => (ours.peakBytes === undefined ? [] : [ours.peakBytes / binned]));
  return [
    { what: 'large: fit time to LightGBM', wanted: { atMost: 2 }, measured: ratios(all, 'cpuSeconds') },
    // So that no time is won by trees that learn less.
    { what: 'large: RMSE to LightGBM', wanted: { atMost: 1.01 }, measured: ratios(all, 'rmse') },
    ...(peaks.length > 0
      ? [{ what: 'large: peak memory to binned table', wanted: { atMost: 3 }, measured: peaks }]
      : []),
  ];
}

const python = execFileSync('bash', [here('../tests/python-env.sh'), 'fit-peers', here('fit/requirements.txt')], {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
}).trim();
const home = mkdtempSync(join(tmpdir(), 'kedge-bench-fit-'));
const folder = (name: string): string => {
  mkdirSync(join(home, name));
  return join(home, name);
};
try {
  const figures: Figure[] = [];
  if (existsSync(BIKE_CSV)) figures.push(...(await bike(folder('bike'))));
  else process.stdout.write('bike is left out: ../shared/data is not here.\n');
  figures.push(...(await large(folder('large'))));
  conclude(figures, json);
} finally {
  rmSync(home, { recursive: true, force: true });
}
