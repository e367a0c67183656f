import { describe, expect, it } from 'vitest';
import { KedgeError } from '../contract/errors.ts';
import { silentLog } from '../platform/log.ts';
import { Conditions, type Problem } from './conditions.ts';
import { createHealthApp } from './health.ts';
import type { LoaderState } from './loader.ts';
import { LoaderMetrics } from './metrics.ts';
import { available, unavailable } from './testing/entries.ts';

interface Facts {
  state: LoaderState;
  vouches?: boolean;
  others?: boolean;
  silentMs?: number;
  problems?: Map<string, Problem>;
}

function appOf({ state, vouches = false, others = false, silentMs = 0, problems = new Map() }: Facts) {
  const loader = { state, vouches, problems, lastTick: 1_000_000 - silentMs, othersVouch: async () => others };
  const clock = { now: () => 1_000_000, sleep: async () => undefined };
  const metrics = new LoaderMetrics();
  return createHealthApp({ loader, metrics, config: { pollMs: 10_000 }, clock, freeBytes: async () => 42 });
}

const PATHS = ['/livez', '/startupz', '/readyz'] as const;

describe('livez, startupz, readyz', () => {
  it.each<[string, Facts, [number, number, number]]>([
    ['waits for the lock', { state: 'waiting-for-lock' }, [200, 503, 503]],
    ['waits for another that serves', { state: 'waiting-for-lock', others: true }, [200, 200, 503]],
    ['syncs for the first time', { state: 'syncing' }, [200, 503, 503]],
    ['has synced', { state: 'idle', vouches: true }, [200, 200, 200]],
    ['has lost the bucket after that', { state: 'backing-off', vouches: true }, [200, 200, 200]],
    ['has never had the bucket', { state: 'backing-off' }, [200, 503, 503]],
    ['stands still', { state: 'syncing', vouches: true, silentMs: 140_000 }, [503, 200, 200]],
    ['is slow', { state: 'syncing', vouches: true, silentMs: 139_999 }, [200, 200, 200]],
    ['has ended', { state: 'stopped', vouches: true }, [503, 200, 503]],
  ])('%s', async (_what, facts, expected) => {
    const app = appOf(facts);
    const statuses = await Promise.all(PATHS.map(async (path) => (await app.request(path)).status));
    expect(statuses).toEqual(expected);
  });

  it('say what is wrong', async () => {
    const problems = new Map([['listing', { code: 'bucket-unreachable 403', message: 'No.', error: undefined }]]);
    const response = await appOf({ state: 'backing-off', vouches: true, problems }).request('/readyz');
    expect(await response.json()).toEqual({
      state: 'backing-off',
      problems: [{ name: 'listing', code: 'bucket-unreachable 403', message: 'No.' }],
    });
  });
});

describe('metrics', () => {
  it('are served as text', async () => {
    const response = await appOf({ state: 'idle' }).request('/metrics');
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0.0.4/);
    const text = await response.text();
    expect(text).toContain('kedge_loader_volume_free_bytes 42');
    expect(text).toContain('process_resident_memory_bytes');
  });

  it('name each reason, and no more than a bounded number', async () => {
    const metrics = new LoaderMetrics();
    const warned = available(1, { warnings: [{ code: 'version-changed', message: 'It did.' }] });
    metrics.showCatalog([{ name: 'm', versions: [unavailable(2, 'refused', ['opset', 'ir-version']), warned] }]);
    const text = await metrics.registry.metrics();
    expect(text).toContain('kedge_loader_refusals{model="m",version="2",code="opset"} 1');
    expect(text).toContain('kedge_loader_refusals{model="m",version="1",code="version-changed"} 1');
    expect(text).toContain('kedge_loader_versions{state="available"} 1');

    const versions = Array.from({ length: 600 }, (_, i) => unavailable(600 - i, 'refused', ['opset']));
    metrics.showCatalog([{ name: 'm', versions }]);
    const bounded = await metrics.registry.metrics();
    expect(bounded.match(/kedge_loader_refusals\{/g)).toHaveLength(500);
    expect(bounded).toContain('kedge_loader_refusals_left_out 100');
    metrics.showCatalog([]);
    expect(await metrics.registry.metrics()).not.toContain('kedge_loader_refusals{');
  });
});

describe('Conditions', () => {
  it('are logged when they come, change and go, and not in between', async () => {
    const lines: string[] = [];
    const log = Object.create(silentLog, {
      warn: { value: (facts: { code: string }) => void lines.push(`warn ${facts.code}`) },
      info: { value: (facts: { problem: string }) => void lines.push(`info ${facts.problem}`) },
    });
    const metrics = new LoaderMetrics();
    const conditions = new Conditions(log, metrics);
    const error = (status: number) =>
      new KedgeError('bucket-unreachable', `It said ${status}.`, { details: { status } });
    for (const status of [500, 500, 403]) conditions.raise('listing', error(status));
    expect(await metrics.registry.metrics()).toMatch(/problems\{problem="listing",code="bucket-unreachable 403"\} 1/);
    expect(conditions.all.get('listing')?.message).toBe('It said 403.');
    conditions.raise('rollout of a', new Error('odd'));
    conditions.raise('rollout of b', new Error('odd'));
    for (const name of ['listing', 'listing', 'rollout of a']) conditions.clear(name);
    expect(await metrics.registry.metrics()).toMatch(/problems\{problem="rollout",code="internal"\} 1/);
    conditions.clear('rollout of b');
    expect(await metrics.registry.metrics()).not.toMatch(/problems\{/);
    expect(lines).toEqual([
      'warn bucket-unreachable 500',
      'warn bucket-unreachable 403',
      'warn internal',
      'warn internal',
      'info listing',
      'info rollout of a',
      'info rollout of b',
    ]);
  });
});
