import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { KedgeError } from '../../contract/errors.ts';
import { type Clock, systemClock } from '../../platform/clock.ts';
import type { Environment } from '../../platform/settings.ts';
import type { Context } from '../command.ts';
import { progressOn } from '../progress.ts';
import { checkAnswers, checkErrors } from './check.ts';
import { type Days, dayName, daysAt, type Questions, QuickstartCity } from './city.ts';
import { type Prediction, predict, waitForActive } from './client.ts';
import { errorOf, type ForecastHour, forecastHours } from './forecast.ts';
import { whatNext } from './next.ts';
import { plotDay } from './plot.ts';
import { type ChildProgram, startProgram, takePort, untilBrokenOff } from './programs.ts';
import { dropBroken, rollForward } from './roll-forward.ts';
import { svgOf } from './svg.ts';
import { train } from './training.ts';

/** Beside the sources in a clone, beside the bundle in a package. */
const EXAMPLES = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../examples' : './examples', import.meta.url),
);

/** The model that is shown; it is asked as all others are. */
const SHOWN = 'scooter-demand-centre';

/** Quicker than a bucket that costs money for each request would be asked. */
const QUICK = {
  KEDGE_POLL_SECONDS: '0.5',
  KEDGE_LIST_SECONDS: '1',
  KEDGE_CATALOG_POLL_SECONDS: '1',
  KEDGE_DRAIN_SECONDS: '0',
};

/** Whatever the user has set for a history, queue or trainer of their own is left alone. */
const OWN = { DATABASE_URL: undefined, REDIS_URL: undefined, KEDGE_TRAINER: undefined };

/** A walk through the whole loop, and where everything of it is. */
export interface Walk {
  dir: string;
  bucket: string;
  bucketDir: string;
  historyDir: string;
  /** Of the server. */
  url: string;
  adminUrl: string;
  /** Of all programs, this one's training among them. */
  env: Environment;
  programs: ChildProgram[];
  clock: Clock;
  signal: AbortSignal;
}

type Say = (text: string) => void;

/** @throws KedgeError `config-invalid` where the folder has a walk in it already */
export async function setOut({ env, signal }: Context, dir: string, programs: ChildProgram[]): Promise<Walk> {
  const [bucketDir, volume, historyDir] = ['bucket', 'volume', 'history'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  if (existsSync(bucketDir)) {
    throw new KedgeError('config-invalid', `${dir} holds an earlier quickstart: give another folder, or remove it.`);
  }
  for (const folder of [bucketDir, volume]) await mkdir(folder, { recursive: true });
  const ports = { server: await takePort(8080), admin: await takePort(8081), loader: await takePort(8082) };
  const bucket = pathToFileURL(bucketDir).href;
  return {
    dir,
    bucket,
    bucketDir,
    historyDir,
    url: `http://127.0.0.1:${ports.server}`,
    adminUrl: `http://127.0.0.1:${ports.admin}`,
    env: {
      ...env,
      ...QUICK,
      ...OWN,
      KEDGE_BUCKET: bucket,
      KEDGE_VOLUME: volume,
      KEDGE_HISTORY: historyDir,
      KEDGE_ESTIMATORS: EXAMPLES,
      KEDGE_PORT: String(ports.server),
      KEDGE_ADMIN_PORT: String(ports.admin),
      KEDGE_LOADER_PORT: String(ports.loader),
    },
    programs,
    clock: systemClock,
    signal,
  };
}

/** History, training, loader and server, a day's forecast beside what came; then checked (`once`) or left to the user. */
export async function walkThrough(context: Context, walk: Walk): Promise<void> {
  const say: Say = (text) => void context.out.write(`${text}\n`);
  const { clock, env, signal, dir } = walk;
  const start = clock.now();
  const days = daysAt(start);
  const city = new QuickstartCity(walk.historyDir, clock);

  await makeHistory(context, city, days, say);
  say('2. Training a model for each zone, judged by two weeks that it does not see, and publishing it …');
  // The city ends today, so each day judges by other weeks: where a model loses to the naive forecast the table says that it was forced.
  await train(context, walk, { force: true });

  const questions = await city.questions(days.forecast, days.coming);
  for (const name of ['load', 'serve']) walk.programs.push(startProgram(name, dir, env));
  say('3. Started the loader (bucket -> volume) and the server (volume -> predictions), each a process of its own …');
  for (const model of questions.keys()) await waitForActive(walk, model, 1);

  const answers = await askAll(walk, questions);
  const { version, digest } = answers.get(SHOWN)!;
  const seconds = ((clock.now() - start) / 1000).toFixed(0);
  say(
    `4. After ${seconds} s: forecast of ${dayName(days.forecast)}, which the history does not have yet, by domain rows: version ${version}, ${digest.slice(0, 19)}…`,
  );
  await city.fill({ from: days.forecast, to: days.coming }, { signal });
  const came = compare(await city.questions(days.forecast, days.coming), answers);
  say('5. The day came:');
  await show(walk, came, dayName(days.forecast), say);

  const coming = (await city.questions(days.coming, days.end)).get(SHOWN)!;
  const evening = coming.find(({ row }) => String(row['time']).endsWith('T18:00')) ?? coming[0]!;
  const next = { model: SHOWN, row: evening.row };
  const { trips } = await predict(walk, SHOWN, [next.row]);
  say(`   And of what comes: ${trips[0]!.toFixed(1)} trips from the centre at ${next.row['time']}`);

  if (context.values['once'] !== true) {
    say(whatNext(walk, next.model, next.row));
    await untilBrokenOff(walk.programs, signal);
    say('\nStopping.');
    return;
  }
  for (const [model, rows] of questions) {
    const posted = rows.map(({ row }) => row);
    await checkAnswers(walk, model, posted, answers.get(model)!);
  }
  checkErrors([...came.values()].map(errorOf));
  await rollOn(context, walk, next.row, say);
  say('All of it works.');
}

async function makeHistory(context: Context, city: QuickstartCity, { first, forecast }: Days, say: Say): Promise<void> {
  say('1. Making up the trips of a city, hour by hour, in a Postgres within this process …');
  const progress = progressOn(context.err, systemClock);
  const onProgress = (done: number, total: number): void =>
    progress.show({ phase: 'making up', bytes: done, totalBytes: total, unit: 'hours' });
  try {
    const hours = await city.fill({ from: first, to: forecast }, { signal: context.signal, onProgress });
    progress.end();
    say(
      `   ${hours} hours of three zones, from ${dayName(first)} to before ${dayName(forecast)}: nobody measured them`,
    );
  } finally {
    progress.end();
  }
}

async function askAll(walk: Walk, questions: Questions): Promise<Map<string, Prediction>> {
  const answers = new Map<string, Prediction>();
  for (const [model, rows] of questions) {
    const posted = rows.map(({ row }) => row);
    answers.set(model, await predict(walk, model, posted));
  }
  return answers;
}

function compare(came: Questions, answers: Map<string, Prediction>): Map<string, ForecastHour[]> {
  return new Map([...came].map(([model, rows]) => [model, forecastHours(rows, answers.get(model)!.trips)]));
}

async function show(walk: Walk, days: Map<string, ForecastHour[]>, day: string, say: Say): Promise<void> {
  const hours = days.get(SHOWN)!;
  const picture = join(walk.dir, `${SHOWN}.svg`);
  await writeFile(picture, svgOf(hours, `${SHOWN}, ${day}`));
  say(`\n${plotDay(hours)}`);
  say(`      trips an hour from the centre on ${day}: ██ what came, ● the forecast\n`);
  say('   Off by, in trips an hour:      forecast   as a week before (seasonal naive)');
  for (const [model, each] of days) {
    const error = errorOf(each);
    say(`   ${model.padEnd(28)} ${error.model.toFixed(1).padStart(10)}   ${error.naive.toFixed(1).padStart(10)}`);
  }
  say('   One day is chance: LOSS and NAIVE of the training above are of two weeks');
  say(`   The picture is in ${picture} too`);
}

/** What a user would try next, done at once. */
async function rollOn(context: Context, walk: Walk, row: Record<string, unknown>, say: Say): Promise<void> {
  say('6. Training anew with the day that came, while a client sends without pause …');
  const answers = await rollForward(walk, SHOWN, row, () =>
    train(context, walk, { all: true, force: true, models: SHOWN }),
  );
  const counts = [...answers].map(([version, count]) => `${count} by version ${version}`).join(', ');
  say(`   ${counts}, none failed`);
  const { code, message } = await dropBroken(walk, SHOWN, 3);
  say(`7. Dropped a version 3 that broke off in its upload: refused, ${code}: ${message}`);
  await waitForActive(walk, SHOWN, 2);
}
