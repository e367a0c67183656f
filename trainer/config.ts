import {
  type Environment,
  fraction,
  integer,
  mebibytes,
  optional,
  type Settings,
  seconds,
  text,
  type Values,
} from '../platform/settings.ts';

/** Where the history is. */
export const historySettings = {
  databaseUrl: optional({
    ...text('DATABASE_URL', 'Postgres that holds the history: postgres://user:password@host:5432/name'),
    parse: checkDatabase,
  }),
  historyFolder: text('KEDGE_HISTORY', 'folder that holds the history (in PGlite) where there is no DATABASE_URL', {
    default: 'kedge-history',
  }),
};

export type HistoryConfig = Values<typeof historySettings>;

/** The value is not told, since it may hold a password. */
function checkDatabase(value: string): string {
  if (/^postgres(ql)?:\/\/./.test(value) && URL.canParse(value)) return value;
  throw new Error('must be the URL of a Postgres database, such as postgres://user:password@host:5432/name');
}

const HOUR_SECONDS = 3600;

/** The queue of a training, and how its tasks are worked off. */
export const trainingSettings = {
  redisUrl: optional({
    ...text('REDIS_URL', 'Redis that holds the queue: redis://host:6379 (default: the queue is within the process)'),
    parse: checkRedis,
  }),
  queue: text('KEDGE_TRAIN_QUEUE', 'name of the queue: trainings with the same name and code share their runs', {
    default: 'default',
  }),
  trainer: optional(
    text(
      'KEDGE_TRAINER',
      'module whose default export says what is trained (default: scooter-demand, which comes along)',
    ),
  ),
  fits: optional(
    integer(
      'KEDGE_TRAIN_FITS',
      'how many models one worker fits at once (default: one; one for each core without REDIS_URL)',
      {
        min: 1,
        max: 256,
      },
    ),
  ),
  fitMs: seconds('KEDGE_TRAIN_FIT_SECONDS', 'limit of one fit; its process is ended then', {
    default: `${HOUR_SECONDS}`,
    min: 1,
    max: 7 * 24 * HOUR_SECONDS,
  }),
  leaseMs: seconds('KEDGE_TRAIN_LEASE_SECONDS', 'a worker that is gone loses its task after this time', {
    default: '30',
    min: 0.5,
    max: HOUR_SECONDS,
  }),
  attempts: integer('KEDGE_TRAIN_ATTEMPTS', 'how often a task is tried before it is set aside', {
    default: '3',
    min: 1,
    max: 100,
  }),
  patienceMs: seconds('KEDGE_TRAIN_PATIENCE_SECONDS', 'how long a worker waits for a queue that is away', {
    default: '300',
    min: 1,
    max: 24 * HOUR_SECONDS,
  }),
};

/** What a challenger must be to be published. */
export const gateSettings = {
  margin: fraction(
    'KEDGE_GATE_MARGIN',
    'part of its loss by which a new version may be worse than the one that serves',
    {
      default: '0.02',
    },
  ),
  confidence: fraction('KEDGE_GATE_CONFIDENCE', 'with which confidence it is no worse than that', { default: '0.95' }),
  maxRunMs: seconds('KEDGE_GATE_RUN_SECONDS', 'what a run of one row may take', {
    default: '0.05',
    min: 0.0001,
    max: 60,
  }),
  maxBytes: mebibytes('KEDGE_GATE_MIB', 'what its files may take, in MiB', { default: '64', min: 1, max: 2 ** 20 }),
} satisfies Settings;

export type TrainingConfig = Values<typeof trainingSettings>;
export type GateConfig = Values<typeof gateSettings>;

/** What a fit, which runs code and commands of others, does not see of the environment. */
const WITHHELD = /^(DATABASE_URL|REDIS_URL|PGPASSWORD|AWS_.*)$/;

export function fitEnvironment(env: Environment = process.env): Record<string, string> {
  const kept = Object.entries(env).filter(([name, value]) => value !== undefined && !WITHHELD.test(name));
  return Object.fromEntries(kept) as Record<string, string>;
}

/** The value is not told, since it may hold a password. */
function checkRedis(value: string): string {
  if (/^rediss?:\/\/./.test(value) && URL.canParse(value)) return value;
  throw new Error('must be the URL of a Redis, such as redis://host:6379');
}
