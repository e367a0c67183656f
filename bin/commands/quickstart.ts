import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { hasCode } from '../../contract/errors.ts';
import { systemClock } from '../../platform/clock.ts';
import type { Environment } from '../../platform/settings.ts';
import type { Command, Context } from '../command.ts';
import { type ChildProgram, startProgram, takePort, untilBrokenOff } from '../quickstart/programs.ts';
import {
  dropBroken,
  MODEL,
  predict,
  publishModel,
  ROW,
  rollForward,
  type Walk,
  waitForActive,
  writeModel,
} from '../quickstart/walk.ts';

/** Beside the sources in a clone, beside the bundle in a package. */
const fromSource = import.meta.url.endsWith('.ts');
const EXAMPLES = fileURLToPath(new URL(fromSource ? '../../examples' : './examples', import.meta.url));
const KEDGE = fromSource ? 'npm run kedge --' : 'kedge';

/** Quicker than a bucket that costs money for each request would be asked. */
const QUICK = {
  KEDGE_POLL_SECONDS: '0.5',
  KEDGE_LIST_SECONDS: '1',
  KEDGE_CATALOG_POLL_SECONDS: '1',
  KEDGE_DRAIN_SECONDS: '0',
};

export const command: Command = {
  summary: 'The whole path on this machine: a bucket in a folder, a first model, loader and server, a prediction.',
  usage: '[--once] [--dir FOLDER]',
  about: 'It stays up until Ctrl-C, and prints what to try next.',
  options: {
    once: { type: 'boolean', about: 'check the whole path, roll forward once, refuse a broken file, and end' },
    dir: {
      type: 'string',
      value: 'FOLDER',
      about: 'where bucket, volume and logs go; kept afterwards (default: a folder that is removed)',
    },
  },
  async run(context) {
    const kept = context.values['dir'] as string | undefined;
    const dir = kept ?? (await mkdtemp(join(tmpdir(), 'kedge-quickstart-')));
    const programs: ChildProgram[] = [];
    try {
      await walkThrough(context, dir, programs);
    } catch (error) {
      if (!(context.signal.aborted && hasCode(error, 'shutting-down'))) throw error;
    } finally {
      for (const program of programs.toReversed()) await program.stop();
      if (kept === undefined) await rm(dir, { recursive: true, force: true });
    }
    return 0;
  },
};

async function walkThrough(
  { out, env, signal, values }: Context,
  dir: string,
  programs: ChildProgram[],
): Promise<void> {
  const say = (line: string): void => void out.write(`${line}\n`);
  const [bucket, volume] = [join(dir, 'bucket'), join(dir, 'volume')];
  for (const folder of [bucket, volume]) await mkdir(folder, { recursive: true });
  const ports = { server: await takePort(8080), admin: await takePort(8081), loader: await takePort(8082) };
  const walk: Walk = {
    dir,
    bucket: pathToFileURL(bucket).href,
    url: `http://127.0.0.1:${ports.server}`,
    programs,
    clock: systemClock,
    signal,
  };

  say(`1. A bucket in a folder: ${walk.bucket}`);
  const first = await writeModel(join(dir, 'first'), 1);
  say(
    `2. Published ${MODEL} version ${await publishModel(walk, first.model, 1)}: a forecaster of scooter trips for a zone and hour`,
  );

  const childEnv: Environment = {
    ...env,
    ...QUICK,
    KEDGE_BUCKET: walk.bucket,
    KEDGE_VOLUME: volume,
    KEDGE_ESTIMATORS: EXAMPLES,
    KEDGE_PORT: String(ports.server),
    KEDGE_ADMIN_PORT: String(ports.admin),
    KEDGE_LOADER_PORT: String(ports.loader),
  };
  for (const name of ['load', 'serve']) programs.push(startProgram(name, dir, childEnv));
  say('3. Started the loader (bucket -> volume) and the server (volume -> predictions), each a process of its own …');
  await waitForActive(walk, 1);

  const { trips, version, digest } = await predict(walk);
  say(`4. Predicted ${trips.toFixed(1)} trips at ${ROW.time}, by version ${version}, ${digest.slice(0, 19)}…`);

  const next = await writeModel(join(dir, 'next'), 1.1);
  if (values['once']) return check(walk, next.model, say);
  say(whatNext(walk, ports.admin, next));
  await untilBrokenOff(programs, signal);
  say('\nStopping.');
}

async function check(walk: Walk, model: string, say: (line: string) => void): Promise<void> {
  const answers = await rollForward(walk, model, 1.1);
  const counts = [...answers].map(([version, count]) => `${count} by version ${version}`).join(', ');
  say(`5. Published version 2 while a client sent without pause: ${counts}, none failed`);
  const { code, message } = await dropBroken(walk, 3);
  say(`6. Dropped a version 3 that broke off in its upload: refused, ${code}: ${message}`);
  await waitForActive(walk, 2);
  say('All of it works.');
}

function whatNext({ url, bucket, dir }: Walk, admin: number, next: { model: string; details: string }): string {
  return `
Try next, in another terminal:

  # a prediction by domain row, and every version with its state
  curl -s ${url}/v1/models/${MODEL}:predict -d '${JSON.stringify({ instances: [ROW] })}'
  curl -s ${url}/v2/models/${MODEL}/versions

  # roll forward live: publish a second version, and ask again
  ${KEDGE} publish ${next.model} --model ${MODEL} --details ${next.details} --bucket ${bucket}

  # a file that is no model: refused, with a reason
  mkdir -p ${dir}/bucket/${MODEL}/9 && echo '<html>' > ${dir}/bucket/${MODEL}/9/model.onnx

  # back to version 1, and metrics
  ${KEDGE} pin ${MODEL} 1 --bucket ${bucket}
  curl -s http://127.0.0.1:${admin}/metrics

Logs: ${dir}/load.log and ${dir}/serve.log. Ctrl-C ends it.`;
}
