import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../platform/clock.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import { overriding } from '../registry/testing/overriding.ts';
import { describeStores, type TestStores } from '../registry/testing/stores.ts';
import { runKedge } from '../tests/e2e/programs.ts';
import { openPostgres } from '../trainer/history/postgres.ts';
import { startPostgres } from '../trainer/history/testing/postgres.ts';
import { hasRedis, startRedis, withRedis } from '../trainer/queue/testing/redis.ts';
import { checkBucket } from './doctor/bucket.ts';
import { clockOf, skewFinding } from './doctor/clock.ts';
import { checkEndpoint } from './doctor/endpoints.ts';
import { type Finding, findingsText } from './doctor/finding.ts';
import { checkMachine, readLimits } from './doctor/machine.ts';
import { checkDatabase, checkRedis, redisFindings } from './doctor/stores.ts';
import { checkVolume } from './doctor/volume.ts';

const verdicts = (findings: readonly Finding[]): string[] =>
  findings.map(({ verdict, sentence }) => `${verdict}: ${sentence}`);
const signal = new AbortController().signal;
const options = { now: systemClock.now, random: Math.random, signal };

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kedge-doctor-'));
});
afterAll(() => rm(dir, { recursive: true }));

describeStores('doctor', ({ open }: TestStores) => {
  it('reads alone, unless it is asked to write', async () => {
    const { store, url } = await open();
    expect(verdicts(await checkBucket(store, { ...options, write: false }))).toEqual([
      `note: ${url} answers, and has no index`,
      'good: can be listed, and is empty',
      'note: conditional writes were not tried',
    ]);
  });

  it('tries conditional writes, and leaves nothing behind', async () => {
    const { store, url } = await open();
    const found = await checkBucket(store, { ...options, write: true });
    expect(verdicts(found).slice(2)).toEqual([
      'good: writes under conditions have one winner',
      `good: in step with that of ${url}`,
    ]);
    for await (const page of store.list('')) expect(page).toEqual([]);
  });

  it('finds out a store that takes no notice of conditions', async () => {
    const { store } = await open();
    const careless: ObjectStore = overriding(store, {
      put: (key, body, _condition, more) => store.put(key, body, {}, more),
    });
    const found = await checkBucket(careless, { ...options, write: true });
    expect(verdicts(found)).toEqual(
      expect.arrayContaining([
        'bad: an object was created twice',
        'bad: an object was replaced under an outdated condition',
      ]),
    );
    for (const { verdict, advice } of found) if (verdict === 'bad') expect(advice).toMatch(/If-None-Match/);
  });
});

describe('clock', () => {
  it.each([
    [0, 'good', /in step/],
    [-4_000, 'good', /in step/],
    [90_000, 'warn', /90 s ahead of/],
    [-90_000, 'warn', /90 s behind/],
    [3_600_000, 'bad', /3600 s ahead of .* S3 refuses/],
  ])('%d ms', (skew, verdict, sentence) => {
    const found = skewFinding(skew, 's3');
    expect(found.verdict).toBe(verdict);
    expect(found.sentence).toMatch(sentence);
  });

  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === '/none') response.sendDate = false;
      response.end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  it('is asked of an HTTP server', async () => {
    expect(await clockOf(url, () => Date.now(), signal)).toMatchObject({ verdict: 'good' });
    expect(await clockOf(url, () => Date.now() - 7_200_000, signal)).toMatchObject({ verdict: 'bad' });
    expect(await clockOf(`${url}/none`, () => Date.now(), signal)).toBeUndefined();
  });

  it('and what is no server of Kedge has no metrics of it', async () => {
    const found = await checkEndpoint({ program: 'server', url, metric: 'kedge_ready' }, signal);
    expect(verdicts(found)).toEqual([`bad: what answers at ${url} is no server (200)`]);
    const gone = await checkEndpoint({ program: 'loader', url: 'http://127.0.0.1:9/metrics', metric: 'x' }, signal);
    expect(gone).toMatchObject([{ verdict: 'note', sentence: expect.stringMatching(/^no loader answers/) }]);
  });
});

describe('volume', () => {
  let time = 0;
  const elapsed = (): number => {
    time += 2_000;
    return time;
  };

  it('is written and renamed in, and left as it was', async () => {
    const found = await checkVolume(dir, { write: true, elapsed: () => 0 });
    expect(verdicts(found)).toContainEqual(expect.stringMatching(/^good: files and folders are renamed in place/));
    expect(verdicts(found)).toContain('note: there is no catalog yet');
    expect(await readdir(dir)).toEqual([]);
  });

  it('is slow', async () => {
    const found = await checkVolume(dir, { write: true, elapsed });
    expect(verdicts(found)).toContain('warn: files and folders are renamed in place; write and fsync take 1000 ms');
  });

  it('is missing, or holds a catalog that cannot be read', async () => {
    expect(await checkVolume(join(dir, 'none'), { write: true, elapsed })).toMatchObject([
      { verdict: 'bad', advice: expect.stringMatching(/Mount a volume there/) },
    ]);
    await writeFile(join(dir, 'catalog.json'), '{');
    const found = await checkVolume(dir, { write: false, elapsed });
    expect(verdicts(found)).toContainEqual(expect.stringMatching(/^bad: the catalog cannot be read/));
    expect(verdicts(found)).toContainEqual(expect.stringMatching(/^note: .* rename and fsync were not tried$/));
  });
});

describe('limits', () => {
  const GIB = 2 ** 30;
  const facts = {
    memoryBytes: 2 * GIB,
    cpus: 2,
    endsAll: true,
    parallelism: 2,
    hostMemoryBytes: GIB,
    probesBytes: GIB,
  };

  it.each([
    [{}, ['good: 2.0 GiB of memory', 'good: 2 CPUs']],
    [{ memoryBytes: undefined, cpus: undefined }, ['note: no memory limit', 'note: no CPU limit; 2 are seen']],
    [
      { hostMemoryBytes: 4 * GIB },
      [expect.stringMatching(/^good/), expect.stringMatching(/^warn: one host.*all of the container/), 'good: 2 CPUs'],
    ],
    [
      { probesBytes: 8 * GIB, endsAll: false },
      [expect.stringMatching(/^good/), expect.stringMatching(/^warn: the probes.*some process/), 'good: 2 CPUs'],
    ],
    [{ cpus: 0.5 }, ['good: 2.0 GiB of memory', expect.stringMatching(/^warn: 0.5 CPUs/)]],
  ])('%j', (change, expected) => expect(verdicts(checkMachine({ ...facts, ...change }))).toEqual(expected));

  it('are read from the control group', async () => {
    const root = await mkdtemp(join(tmpdir(), 'kedge-cgroup-'));
    expect(await readLimits(root)).toEqual({ memoryBytes: undefined, cpus: undefined, endsAll: false });
    await writeFile(join(root, 'memory.max'), '1073741824\n');
    await writeFile(join(root, 'cpu.max'), '150000 100000\n');
    await writeFile(join(root, 'memory.oom.group'), '1\n');
    expect(await readLimits(root)).toEqual({ memoryBytes: 2 ** 30, cpus: 1.5, endsAll: true });
    await writeFile(join(root, 'memory.max'), 'max\n');
    await writeFile(join(root, 'cpu.max'), 'max 100000\n');
    expect(await readLimits(root)).toMatchObject({ memoryBytes: undefined, cpus: undefined });
    await rm(root, { recursive: true });
  });
});

describe('stores', () => {
  it.each([
    ['7.2.4', 'noeviction', 100, 1, ['good: Redis 7.2.4 at r', 'good: it throws nothing away (noeviction)']],
    ['7.2.4', 'allkeys-lru', 100, 1, ['good: Redis 7.2.4 at r', 'bad: maxmemory-policy is allkeys-lru']],
    [
      '6.0.9',
      'volatile-lru',
      0,
      0,
      [
        'warn: Redis 6.0.9 at r',
        expect.stringMatching(/^warn: maxmemory-policy/),
        'note: it keeps no append-only file',
      ],
    ],
    ['4.0.1', 'noeviction', 0, 1, ['bad: Redis 4.0.1 at r', expect.stringMatching(/^good/)]],
  ])('redis %s %s %d %d', (version, policy, memory, aof, expected) => {
    const info = `redis_version:${version}\r\nmaxmemory:${memory}\r\nmaxmemory_policy:${policy}\r\naof_enabled:${aof}\r\n`;
    expect(verdicts(redisFindings(info, 'r'))).toEqual(expected);
  });

  it('tell that they cannot be reached, without a password', async () => {
    const found = [
      ...(await checkRedis('redis://:geheim@127.0.0.1:9')),
      ...(await checkDatabase(async () => {
        throw new Error('no');
      })),
    ];
    expect(found.map(({ verdict }) => verdict)).toEqual(['bad', 'bad']);
    expect(findingsText(found)).toMatch(/FAIL {2}redis .*127\.0\.0\.1:9 does not answer/);
    expect(findingsText(found)).not.toContain('geheim');
  });

  it('a real Postgres, where one is installed', async ({ skip }) => {
    const postgres = await startPostgres();
    if (postgres === undefined) return skip('left out: neither KEDGE_TEST_POSTGRES nor an installed server');
    try {
      const found = await checkDatabase(async () => openPostgres(postgres.url));
      expect(verdicts(found)).toEqual([
        expect.stringMatching(/^good: postgres \d+/),
        'note: it has no tables of Kedge',
      ]);
    } finally {
      await postgres.stop();
    }
  });

  it.skipIf(!hasRedis)(withRedis('a real Redis'), async () => {
    const redis = await startRedis();
    try {
      expect(verdicts(await checkRedis(redis.url))[0]).toMatch(/^good: Redis \d/);
    } finally {
      await redis.stop();
    }
  });
});

describe('kedge doctor', () => {
  it('leaves out what is not named, and names a setting that nobody reads', async () => {
    const { code, out, err } = await runKedge(['doctor', 'settings', 'bucket', 'volume', 'database', 'redis'], {
      KEDGE_VOLUM: '/x',
    });
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^WARN {2}settings {2}KEDGE_VOLUM is no setting/);
    expect(out.match(/left out: \w+ is not set/g)).toHaveLength(4);
  });

  it('ends with 1 where something does not work, and tells it in JSON too', async () => {
    const { code, out } = await runKedge(['doctor', 'volume', '--json'], { KEDGE_VOLUME: join(dir, 'none') });
    expect(code).toBe(1);
    expect(JSON.parse(out).findings).toMatchObject([{ about: 'volume', verdict: 'bad' }]);
    expect(await runKedge(['doctor', 'buckets'], {})).toMatchObject({
      code: 2,
      err: expect.stringMatching(/no check 'buckets'/),
    });
  });
});
