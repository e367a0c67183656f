import { expect, it } from 'vitest';
import { hasCode, messageOf } from '../contract/errors.ts';
import { readServerConfig } from './config.ts';

it('needs nothing but a volume', () =>
  expect(readServerConfig({ KEDGE_VOLUME: '/models' })).toEqual({
    volume: '/models',
    host: undefined,
    port: 8080,
    adminPort: 8081,
    estimators: undefined,
    engine: 'auto',
    requiredModels: [],
    keepReady: 2,
    catalogPollMs: 2_000,
    maxBodyBytes: 64 * 2 ** 20,
    maxJsonBytes: 16 * 2 ** 20,
    runTimeoutMs: 10_000,
    loadTimeoutMs: 60_000,
    hostMemoryBytes: 4096 * 2 ** 20,
    parallelLoads: 2,
    loadRetries: 5,
    memoryBudgetBytes: undefined,
    lazyWaitMs: 10_000,
    maxRows: 100_000,
    queueRows: 100_000,
    queueBytes: 512 * 2 ** 20,
    queueMs: 10_000,
    batchRows: 256,
    batchBytes: 16 * 2 ** 20,
    batchWaitMs: 0,
    deadlinesMs: new Map(),
    tokens: undefined,
    tokensFile: undefined,
    tlsCert: undefined,
    tlsKey: undefined,
    maxConnections: 10_000,
    accessLogSample: 0,
    drainMs: 5_000,
    graceMs: 20_000,
    logLevel: 'info',
  }));

it('reads lists and fractions of seconds', () =>
  expect(
    readServerConfig({ KEDGE_VOLUME: 'v', KEDGE_REQUIRED_MODELS: 'a, b,', KEDGE_CATALOG_POLL_SECONDS: '0.25' }),
  ).toMatchObject({ requiredModels: ['a', 'b'], catalogPollMs: 250 }));

it.each<[string, Record<string, string>, RegExp]>([
  [
    'all that is wrong',
    { KEDGE_ENGINE: 'gpu', KEDGE_MAX_BODY_MB: '0' },
    /KEDGE_VOLUME .*KEDGE_ENGINE must be one of.*KEDGE_MAX_BODY_MB must be/s,
  ],
  ['half of TLS', { KEDGE_VOLUME: 'v', KEDGE_TLS_CERT: 'cert.pem' }, /KEDGE_TLS_KEY go together/],
  ['deadlines that are none', { KEDGE_VOLUME: 'v', KEDGE_DEADLINES: 'm=soon' }, /KEDGE_DEADLINES must be seconds/],
  ['a share over 1', { KEDGE_VOLUME: 'v', KEDGE_ACCESS_LOG_SAMPLE: '1.5' }, /SAMPLE must be a number from 0 to 1/],
  [
    'no tokens where there should be some',
    { KEDGE_VOLUME: 'v', KEDGE_TOKENS: '' },
    /KEDGE_TOKENS is empty, which would let/,
  ],
  ['a file of tokens without a name', { KEDGE_VOLUME: 'v', KEDGE_TOKENS_FILE: '' }, /KEDGE_TOKENS_FILE is empty/],
  ['one port for two', { KEDGE_VOLUME: 'v', KEDGE_ADMIN_PORT: '8080' }, /both 8080/],
  ['what Kubernetes sets for a Service', { KEDGE_VOLUME: 'v', KEDGE_PORT: 'tcp://10.0.0.1:80' }, /enableServiceLinks/],
])('refuses %s', (_what, env, sentence) => {
  try {
    readServerConfig(env);
    expect.unreachable();
  } catch (error) {
    expect(hasCode(error, 'config-invalid')).toBe(true);
    expect(messageOf(error)).toMatch(sentence);
  }
});

it('reads deadlines for one model and for all', () =>
  expect(readServerConfig({ KEDGE_VOLUME: 'v', KEDGE_DEADLINES: '2, demand=0.05' }).deadlinesMs).toEqual(
    new Map([
      ['', 2_000],
      ['demand', 50],
    ]),
  ));

it('takes two free ports', () =>
  expect(readServerConfig({ KEDGE_VOLUME: 'v', KEDGE_PORT: '0', KEDGE_ADMIN_PORT: '0' }).port).toBe(0));
