import { Redis } from 'ioredis';
import type { Database } from '../../trainer/history/database.ts';
import { redisError } from '../../trainer/queue/redis-errors.ts';
import { type Finding, Findings } from './finding.ts';

const CONNECT_MS = 5_000;
/** What the queue wants, and what it wants for locks that hold (BullMQ). */
const REDIS_NEEDED = 5;
const REDIS_WANTED = 6.2;

/** The history: reachable, its release, what is in it. `open` is openHistory with the settings. */
export async function checkDatabase(open: () => Promise<Database>): Promise<Finding[]> {
  const found = new Findings('database');
  let database: Database | undefined;
  try {
    database = await open();
    const [row] = await database.query<{ version: string; migrated: boolean }>(
      `select current_setting('server_version') as version, to_regclass('kedge.migrations') is not null as migrated`,
    );
    found.good(`${database.kind} ${row!.version} at ${database.place}`);
    if (Number.parseInt(row!.version, 10) < 15)
      found.warn('older than PostgreSQL 15', 'Update it: nothing older is tried.');
    if (!row!.migrated)
      found.note('it has no tables of Kedge', 'kedge history migrate makes them; fill and import do, too.');
  } catch (error) {
    found.failed(error, 'the history');
  } finally {
    await database?.close();
  }
  return found.list;
}

/** What a Redis says of itself, in the form of INFO. @param place for sentences, without a password */
export function redisFindings(info: string, place: string): Finding[] {
  const found = new Findings('redis');
  const value = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  const version = value('redis_version');
  const release = Number.parseFloat(version);
  if (release < REDIS_NEEDED) found.bad(`Redis ${version} at ${place}`, 'The queue needs Redis 6.2 or newer.');
  else if (release < REDIS_WANTED) found.warn(`Redis ${version} at ${place}`, 'Update it to 6.2 or newer.');
  else found.good(`Redis ${version} at ${place}`);
  const policy = value('maxmemory_policy');
  const limited = Number(value('maxmemory')) > 0;
  const advice = 'Set maxmemory-policy to noeviction: else it throws tasks away when its memory is short.';
  if (policy === 'noeviction') found.good('it throws nothing away (noeviction)');
  else if (limited) found.bad(`maxmemory-policy is ${policy}`, advice);
  else found.warn(`maxmemory-policy is ${policy}, which a limit of its memory would bring to bear`, advice);
  if (value('aof_enabled') === '0')
    found.note(
      'it keeps no append-only file',
      'A restart of it loses the training that runs; appendonly yes keeps it.',
    );
  return found.list;
}

export async function checkRedis(url: string): Promise<Finding[]> {
  const { host } = new URL(url);
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let reason: unknown;
  redis.on('error', (error) => {
    reason = error;
  });
  try {
    await redis.connect();
    return redisFindings(await redis.info(), host);
  } catch (error) {
    const found = new Findings('redis');
    found.failed(redisError(reason ?? error, host), 'the queue');
    return found.list;
  } finally {
    redis.disconnect();
  }
}
