import { KedgeError } from '../../contract/errors.ts';
import { bucketSettings } from '../../registry/config.ts';
import { gateSettings, historySettings, trainingSettings } from '../../trainer/config.ts';
import { BUCKET_OPTION, JSON_OPTION, withBucket } from '../bucket.ts';
import type { Command } from '../command.ts';
import { refuseIdle } from '../idle-options.ts';
import type { Setup } from '../train/setup.ts';

const PARTS: Record<string, (setup: Setup) => Promise<number>> = {
  all: async (setup) => (await import('../train/parts.ts')).trainAll(setup),
  master: async (setup) => (await import('../train/parts.ts')).trainMaster(setup),
  worker: async (setup) => (await import('../train/parts.ts')).trainWorker(setup),
  finish: async (setup) => (await import('../train/parts.ts')).trainFinish(setup),
  status: async (setup) => (await import('../train/parts.ts')).trainStatus(setup),
};

/** What goes on with a run that was begun. */
const OF_A_RUN = new Set(['worker', 'finish', 'status']);
const KEPT =
  'cannot be given here: a run keeps what it was begun with. Give it to kedge train master, or to kedge train, which begin runs. Where one is open already that was begun otherwise, let it come to its end first.';

export const command: Command = {
  summary: 'Makes model versions from the history.',
  usage: '[master | worker | finish | status] [--ensure | --drifted | --stale AGE | --all]',
  about: `Without a word it plans, fits and publishes here. On many machines, with REDIS_URL:
master   plans, and puts the models on the queue as one run; or joins the run that is open
worker   takes models off the queue until nothing is left; any number of them
finish   waits for the workers, and publishes what passes the gate
status   says how far the run is
A run keeps the mode and the force that it was begun with, also where another training joins it. What a training of several runs came
to is one answer: with --json one document, with runs beside the models of all.

--ensure trains what has no version for the code that runs here, and ends at once when there is nothing of that kind:
for the Job before a deployment. --stale 24h also trains what is older, and what has drifted: for the CronJob. --drifted trains what
has drifted however old it is. A model has drifted where a feature of the last two weeks is spread otherwise than what it learned from; features that
go with the season or a trend do not count.
A new version must beat the rule of thumb, and must not be worse than the one that serves; what loses is kept with its report.
Ends with 42 where models are missing because their tasks failed for good; with --ensure also where the gate kept a model back that has no other version for
this code. All others are published then. --force publishes it nevertheless, unless it is broken.`,
  options: {
    ensure: { type: 'boolean', about: 'what has no version for this code (this is the default)' },
    drifted: { type: 'boolean', about: 'also what has drifted' },
    stale: { type: 'string', value: 'AGE', about: 'also what is older, such as 24h or 7d, or has drifted' },
    all: { type: 'boolean', about: 'everything' },
    models: { type: 'string', value: 'A,B', about: 'only these models' },
    force: {
      type: 'boolean',
      about: 'publish what the gate would keep back, unless it is broken; the manifest says so',
    },
    bucket: BUCKET_OPTION,
    json: JSON_OPTION,
  },
  positionals: { min: 0, max: 1 },
  settings: { ...bucketSettings, ...historySettings, ...trainingSettings, ...gateSettings },
  run: (context) =>
    withBucket(context, async (bucket) => {
      const [name = 'all'] = context.positionals;
      const part = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
      if (!part)
        throw new KedgeError('config-invalid', `kedge train has no part '${name}'; kedge train --help lists them.`);
      // Said before anything is opened.
      if (OF_A_RUN.has(name))
        refuseIdle(context.values, ['ensure', 'drifted', 'stale', 'all', 'models', 'force'], KEPT);
      const { modeOf } = await import('../train/mode.ts');
      modeOf(context);
      const { setUp } = await import('../train/setup.ts');
      const setup = await setUp(context, bucket);
      try {
        return await part(setup);
      } finally {
        await setup.close();
      }
    }),
};
