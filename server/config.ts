import { KedgeError } from '../contract/errors.ts';
import { commonSettings } from '../platform/common-settings.ts';
import {
  choice,
  type Environment,
  fraction,
  integer,
  list,
  mebibytes,
  notEmpty,
  optional,
  readSettings,
  type Setting,
  seconds,
  text,
  type Values,
} from '../platform/settings.ts';

const OPENS = 'which would let everybody predict: fill it, or unset it if that is meant';

/** The settings of `kedge serve`. Times are milliseconds and sizes bytes once read. */
export const serverSettings = {
  ...commonSettings,
  host: optional(text('KEDGE_HOST', 'address to listen on; all of them if absent')),
  port: integer('KEDGE_PORT', 'port for predictions', { default: '8080', min: 0, max: 65_535 }),
  adminPort: integer('KEDGE_ADMIN_PORT', 'port for metrics, and for all that the prediction port answers', {
    default: '8081',
    min: 0,
    max: 65_535,
  }),
  estimators: optional(text('KEDGE_ESTIMATORS', 'folder of estimators: X.ts or X.js, or X/estimator.ts or .js')),
  engine: choice(
    'KEDGE_ENGINE',
    'where models run: on the serving loop, in processes of their own, or as each is proved',
    ['auto', 'inline', 'host'] as const,
    { default: 'auto' },
  ),
  requiredModels: list(
    'KEDGE_REQUIRED_MODELS',
    'ready only while all of these answer, or any one model if empty; first once each of the first catalog loaded or failed',
    {
      default: '',
    },
  ),
  keepReady: integer('KEDGE_KEEP_READY', 'newest versions of a model that are held ready, the active one included', {
    default: '2',
    min: 1,
    max: 100,
  }),
  catalogPollMs: seconds('KEDGE_CATALOG_POLL_SECONDS', 'time between looks at the catalog where no event tells of it', {
    default: '2',
    min: 0.05,
    max: 3600,
  }),
  maxBodyBytes: mebibytes('KEDGE_MAX_BODY_MB', 'largest request body, in MiB', { default: '64', min: 1, max: 2047 }),
  maxJsonBytes: mebibytes(
    'KEDGE_MAX_JSON_MB',
    'most JSON in a request body, in MiB, the binary tensors behind it not counted: it is parsed on the serving loop, while others wait',
    { default: '16', min: 1, max: 511 },
  ),
  runTimeoutMs: seconds('KEDGE_RUN_TIMEOUT_SECONDS', 'longest run in a host process', {
    default: '10',
    min: 0.01,
    max: 3600,
  }),
  loadTimeoutMs: seconds(
    'KEDGE_LOAD_TIMEOUT_SECONDS',
    'longest load in a host process, and longest wait for the models of the first catalog before the server is ready',
    {
      default: '60',
      min: 0.1,
      max: 3600,
    },
  ),
  hostMemoryBytes: mebibytes('KEDGE_HOST_MEMORY_MB', 'most resident memory of one host process, in MiB', {
    default: '4096',
    min: 64,
    max: 1_048_576,
  }),
  parallelLoads: integer('KEDGE_PARALLEL_LOADS', 'versions that load at the same time', {
    default: '2',
    min: 1,
    max: 64,
  }),
  lazyWaitMs: seconds('KEDGE_LAZY_WAIT_SECONDS', 'longest wait of a request for a lazy model to load', {
    default: '10',
    min: 0.01,
    max: 3600,
  }),
  loadRetries: integer('KEDGE_LOAD_RETRIES', 'times a failed load is tried again while another version answers', {
    default: '5',
    min: 0,
    max: 1000,
  }),
  maxRows: integer('KEDGE_MAX_ROWS', 'most rows of one request', { default: '100000', min: 1, max: 1_000_000_000 }),
  queueRows: integer('KEDGE_QUEUE_ROWS', 'most rows of a version that may wait for their answers', {
    default: '100000',
    min: 1,
    max: 1_000_000_000,
  }),
  queueBytes: mebibytes(
    'KEDGE_QUEUE_MB',
    'most bytes of requests of all models that are held at once, while they come and wait, in MiB',
    {
      default: '512',
      min: 1,
      max: 1_048_576,
    },
  ),
  queueMs: seconds('KEDGE_QUEUE_SECONDS', 'a request that would wait longer than this for others is refused', {
    default: '10',
    min: 0.001,
    max: 3600,
  }),
  batchRows: integer('KEDGE_BATCH_ROWS', 'most rows of a run that several requests share', {
    default: '256',
    min: 1,
    max: 1_000_000,
  }),
  batchBytes: mebibytes('KEDGE_BATCH_MB', 'most bytes of the inputs of such a run, in MiB', {
    default: '16',
    min: 1,
    max: 1024,
  }),
  batchWaitMs: integer(
    'KEDGE_BATCH_WAIT_MS',
    'time that a request waits for others to share its run, in ms; 0: for those of the same turn of the loop alone',
    { default: '0', min: 0, max: 10_000 },
  ),
  deadlinesMs: deadlines(
    'KEDGE_DEADLINES',
    'time for the answer to a request that names none, in seconds: 2 for all, or demand=0.05,2',
    {
      default: '',
    },
  ),
  tokens: notEmpty(
    optional(
      text(
        'KEDGE_TOKENS',
        'who may ask: sha256:… SCOPE,SCOPE for each token, between semicolons; kedge token makes them',
      ),
    ),
    OPENS,
  ),
  tokensFile: notEmpty(
    optional(text('KEDGE_TOKENS_FILE', 'the same in a file, one on a line; read again when it changes')),
    OPENS,
  ),
  tlsCert: optional(
    text('KEDGE_TLS_CERT', 'certificate chain in PEM; read again when it changes. Both ports speak TLS then'),
  ),
  tlsKey: optional(text('KEDGE_TLS_KEY', 'its private key')),
  maxConnections: integer('KEDGE_MAX_CONNECTIONS', 'most open connections of each port', {
    default: '10000',
    min: 1,
    max: 1_000_000,
  }),
  accessLogSample: fraction(
    'KEDGE_ACCESS_LOG_SAMPLE',
    'share of the requests for predictions that are logged, from 0 to 1; over 0, those that end in a defect (500) always',
    { default: '0' },
  ),
  drainMs: seconds('KEDGE_DRAIN_SECONDS', 'time from not ready to closed, for load balancers to notice', {
    default: '5',
    min: 0,
    max: 3600,
  }),
  graceMs: seconds('KEDGE_GRACE_SECONDS', 'time for requests under way once closed, before they are cut', {
    default: '20',
    min: 0,
    max: 3600,
  }),
};

/** Milliseconds by model; '' stands for all others. */
function deadlines(env: string, about: string, options: { default: string }): Setting<ReadonlyMap<string, number>> {
  const parse = (value: string): ReadonlyMap<string, number> =>
    new Map(
      list(env, about)
        .parse(value)
        .map((item) => {
          const [, model = '', time] = /^(?:([a-z0-9][a-z0-9._-]*)=)?(\d+(?:\.\d+)?)$/.exec(item) ?? [];
          if (Number(time) > 0) return [model, Number(time) * 1_000];
          throw new Error(`must be seconds over 0, or MODEL=SECONDS, separated by commas; '${item}' is neither`);
        }),
    );
  return { env, about, ...options, parse };
}

export type ServerConfig = Values<typeof serverSettings>;

/** @throws KedgeError `config-invalid` that names every problem */
export function readServerConfig(env: Environment): ServerConfig {
  const config = readSettings(serverSettings, env);
  if (config.port !== 0 && config.port === config.adminPort) {
    throw new KedgeError(
      'config-invalid',
      `KEDGE_PORT and KEDGE_ADMIN_PORT are both ${config.port}: give them two ports.`,
    );
  }
  if ((config.tlsCert === undefined) !== (config.tlsKey === undefined)) {
    throw new KedgeError('config-invalid', 'KEDGE_TLS_CERT and KEDGE_TLS_KEY go together: give both, or neither.');
  }
  return config;
}
