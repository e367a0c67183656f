import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { parseSchedule } from '../load/schedule-spec.ts';
import { type ClusterRunOptions, runOnCluster } from './cluster-run.ts';
import { clusterRecordOf } from './record.ts';

const labels = { app: 'kedge' };
const podOf = (name: string, isReady: boolean) => ({
  kind: 'Pod',
  metadata: { name, labels },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] },
});

/** Objects of a namespace with so many replicas wanted, and pods by whether they are ready. */
const objects = (desired: number, pods: Record<string, boolean>) => ({
  kind: 'List',
  items: [
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'kedge', uid: '1' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'kedge' },
        minReplicas: 1,
        maxReplicas: 3,
        metrics: [
          {
            type: 'Pods',
            pods: { metric: { name: 'kedge_concurrency' }, target: { type: 'AverageValue', averageValue: '4' } },
          },
        ],
      },
      status: {
        currentReplicas: desired,
        desiredReplicas: desired,
        currentMetrics: [
          { type: 'Pods', pods: { metric: { name: 'kedge_concurrency' }, current: { averageValue: '2500m' } } },
        ],
        conditions: [{ type: 'ScalingActive', status: 'True', reason: 'ValidMetricFound' }],
      },
    },
    {
      kind: 'Deployment',
      metadata: { name: 'kedge' },
      spec: { replicas: desired, selector: { matchLabels: labels } },
      status: { readyReplicas: Object.values(pods).filter(Boolean).length },
    },
    ...Object.entries(pods).map(([name, isReady]) => podOf(name, isReady)),
  ],
});

it('tells of a cluster what it was seen to do, and misses what it did not tell', async () => {
  const server = createServer((request, response) => {
    request.resume();
    response.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const told: (object | undefined)[] = [
    objects(1, { a: true }),
    objects(1, { a: true }),
    objects(2, { a: true, b: false }),
    undefined,
    objects(2, { a: true, b: true }),
  ];
  let looks = 0;
  const options: ClusterRunOptions = {
    load: {
      url,
      requests: [{ model: 'm', weight: 1, body: '{}', check: 'status' }],
      schedule: parseSchedule('constant:10/3s', () => ''),
      coarse: true,
    },
    objects: async () => {
      const now = told[Math.min(looks, told.length - 1)];
      looks += 1;
      if (!now) throw new Error('busy');
      return now;
    },
    lookSeconds: 0.1,
  };
  try {
    const signal = new AbortController().signal;
    const result = await runOnCluster(options, { signal, onTick: () => undefined, tell: () => undefined });
    const record = clusterRecordOf(result, { startedAt: '', settings: {}, seconds: 3, url, lookSeconds: 0.1 });
    expect(record.load.total).toMatchObject({ scheduled: 30, ok: 30 });
    expect(record.scaling).toMatchObject({
      by: 'cluster',
      policy: { name: 'kedge', minReplicas: 1, maxReplicas: 3, metrics: ['Pods kedge_concurrency, 4 for each pod'] },
    });
    expect(record.scaling!.ticks.map(({ current, ready, metrics }) => [current, ready, metrics[0]!.value])).toEqual([
      [1, 1, 2.5],
      [2, 1, 2.5],
      [2, 2, 2.5],
    ]);
    expect(record.scaling!.pods.map(({ name, states }) => [name, ...states.map(({ state }) => state)])).toEqual([
      ['a', 'ready'],
      ['b', 'starting', 'ready'],
    ]);
    expect(record.honesty.real.join(' ')).toContain('at 1 look the cluster did not answer');
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
