import { availableParallelism } from 'node:os';
import { KedgeError } from '../../contract/errors.ts';
import { loaderSettings } from '../../loader/config.ts';
import { systemClock } from '../../platform/clock.ts';
import { commonSettings } from '../../platform/common-settings.ts';
import { optional, readSettings } from '../../platform/settings.ts';
import { bucketSettings, s3Environment } from '../../registry/config.ts';
import { openStore } from '../../registry/open-store.ts';
import { serverSettings } from '../../server/config.ts';
import { historySettings, trainingSettings } from '../../trainer/config.ts';
import { openHistory } from '../../trainer/history/open.ts';
import { JSON_OPTION, writeJson } from '../bucket.ts';
import type { Command, Context } from '../command.ts';
import { checkBucket } from '../doctor/bucket.ts';
import { clockOf } from '../doctor/clock.ts';
import { checkEndpoint } from '../doctor/endpoints.ts';
import { type Finding, Findings, findingsText } from '../doctor/finding.ts';
import { checkMachine, readLimits } from '../doctor/machine.ts';
import { checkDatabase, checkRedis } from '../doctor/stores.ts';
import { checkVolume } from '../doctor/volume.ts';
import { unknownSettings } from '../unknown-settings.ts';

/** A bucket that does not answer is told of after its client has tried again and again. */
const LIMIT_MS = 60_000;
const QUICK_MS = 3_000;
const FOUND_BAD = 1;

/** What any of the programs may be told; nothing has to be there, since each pod has a part of it. */
const settings = {
  bucket: optional(bucketSettings.bucket),
  s3Endpoint: bucketSettings.s3Endpoint,
  volume: optional(commonSettings.volume),
  adminPort: serverSettings.adminPort,
  hostMemoryBytes: serverSettings.hostMemoryBytes,
  loaderPort: loaderSettings.port,
  concurrency: loaderSettings.concurrency,
  probeMemoryBytes: loaderSettings.probeMemoryBytes,
  ...historySettings,
  redisUrl: trainingSettings.redisUrl,
};

interface Job {
  context: Context;
  config: ReturnType<typeof readSettings<typeof settings>>;
  write: boolean;
}

/** In the order of the way of a model. Each gives nothing where the settings name nothing to look at. */
const CHECKS: Record<string, (job: Job) => Promise<Finding[]>> = {
  settings: async ({ context }) => {
    const found = new Findings('settings');
    for (const sentence of unknownSettings(context.env)) found.warn(sentence, 'Write it as kedge COMMAND --help does.');
    if (found.list.length === 0) found.good('every KEDGE_ variable is one that a program reads');
    return found.list;
  },
  limits: async ({ config }) => {
    const { hostMemoryBytes, concurrency, probeMemoryBytes } = config;
    const probesBytes = concurrency * probeMemoryBytes;
    return checkMachine({ ...(await readLimits()), parallelism: availableParallelism(), hostMemoryBytes, probesBytes });
  },
  clock: async ({ config, context }) => {
    if (!config.bucket?.startsWith('s3:')) return [];
    const url = s3Environment(context.env).endpoint ?? 'https://s3.amazonaws.com';
    const told = await clockOf(url, systemClock.now, AbortSignal.timeout(QUICK_MS));
    return told ? [told] : [];
  },
  bucket: async ({ config, context, write }) => {
    if (config.bucket === undefined) return left('bucket', 'KEDGE_BUCKET');
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(LIMIT_MS)]);
    const store = openStore(config.bucket, { s3: s3Environment(context.env) });
    try {
      return await checkBucket(store, { write, now: systemClock.now, random: Math.random, signal });
    } finally {
      store.close();
    }
  },
  volume: async ({ config, write }) => {
    if (config.volume === undefined) return left('volume', 'KEDGE_VOLUME');
    return checkVolume(config.volume, { write, elapsed: () => performance.now() });
  },
  metrics: async ({ config }) => {
    const ask = (program: string, port: number, metric: string): Promise<Finding[]> =>
      checkEndpoint({ program, url: `http://127.0.0.1:${port}/metrics`, metric }, AbortSignal.timeout(QUICK_MS));
    const server = await ask('server', config.adminPort, 'kedge_ready');
    return [...server, ...(await ask('loader', config.loaderPort, 'kedge_loader_bucket_reachable'))];
  },
  database: async ({ config }) => {
    if (config.databaseUrl === undefined) return left('database', 'DATABASE_URL');
    return checkDatabase(() => openHistory(config, { clock: systemClock, create: false }));
  },
  redis: async ({ config }) =>
    config.redisUrl === undefined ? left('redis', 'REDIS_URL') : checkRedis(config.redisUrl),
};

export const command: Command = {
  summary: 'Looks at what Kedge stands on here, and says what to do where it does not hold.',
  usage: '[CHECK...] [--write] [--json]',
  about: `In a pod or on a laptop, with the environment of the program that is in trouble. Checks: ${Object.keys(CHECKS).join(', ')};
all of them if none is named. What the environment does not name is left out, and said so.

It only reads, unless --write: then it makes one object in the bucket and one folder on the volume, and removes both again.
It ends with 0 when nothing failed (warnings do not count), else with ${FOUND_BAD}.

  kubectl exec deploy/kedge -c loader -- node /app/dist/kedge.js doctor volume --write
  kedge doctor bucket --write        with the rights of who publishes: a loader only reads the bucket`,
  options: {
    write: { type: 'boolean', about: 'also try the writes that a publisher and a loader make' },
    json: JSON_OPTION,
  },
  positionals: { min: 0, max: Object.keys(CHECKS).length },
  settings,
  async run(context) {
    const { positionals, values, out } = context;
    const strange = positionals.filter((name) => !Object.hasOwn(CHECKS, name));
    if (strange.length > 0)
      throw new KedgeError(
        'config-invalid',
        `there is no check '${strange[0]}'; there are ${Object.keys(CHECKS).join(', ')}.`,
      );
    const job: Job = { context, config: readSettings(settings, context.env), write: values['write'] === true };
    const findings: Finding[] = [];
    for (const [name, check] of Object.entries(CHECKS)) {
      if (context.signal.aborted || (positionals.length > 0 && !positionals.includes(name))) continue;
      const found = await check(job).catch((error: unknown) => unexpected(name, error));
      findings.push(...found);
      if (!values['json']) out.write(findingsText(found));
    }
    if (values['json']) writeJson(context, { findings });
    return findings.some(({ verdict }) => verdict === 'bad') ? FOUND_BAD : 0;
  },
};

function left(about: string, variable: string): Finding[] {
  const found = new Findings(about);
  found.note(`left out: ${variable} is not set`);
  return found.list;
}

function unexpected(about: string, error: unknown): Finding[] {
  const found = new Findings(about);
  found.failed(error, 'looking');
  return found.list;
}
