import { describe, expect, it } from 'vitest';
import type { PolicyMetric } from '../../hpa/observe.ts';
import { measuresOf, windowOf } from './measured.ts';

const target = { type: 'AverageValue', milli: 4000 } as const;
const query = 'query: sum(rate(kedge_inflight_seconds_total{namespace="kedge"}[2m]))';

describe('what a metric is measured by', () => {
  it.each([
    [{ kind: 'Pods', name: 'kedge_concurrency', target }, '', 'concurrency'],
    [{ kind: 'Pods', name: 'inflight_requests', target }, '', 'concurrency'],
    [{ kind: 'External', name: 's0-prometheus', target }, query, 'concurrency'],
    [{ kind: 'Object', name: 'in_flight', target }, '', 'concurrency'],
    [{ kind: 'External', name: 's0-http_kedge_concurrency', target }, '', 'pending'],
    [{ kind: 'External', name: 's0-prometheus', target }, 'query: sum(interceptor_request_concurrency)', 'pending'],
    [{ kind: 'Resource', name: 'cpu', target }, '', 'cpu'],
    [{ kind: 'ContainerResource', name: 'memory', container: 'server', target }, '', 'memory'],
  ] satisfies [PolicyMetric, string, string][])('%j: %s', (metric, manifest, measure) =>
    expect(measuresOf([metric], manifest)).toEqual([measure]),
  );

  it('is what its own trigger asks for, where there are several', () => {
    const metrics = ['s0-prometheus', 's1-prometheus'].map(
      (name): PolicyMetric => ({ kind: 'External', name, target }),
    );
    const queries = new Map([
      ['s0-prometheus', query],
      ['s1-prometheus', 'sum(interceptor_request_concurrency)'],
    ]);
    expect(measuresOf(metrics, [...queries.values()].join('\n'), queries)).toEqual(['concurrency', 'pending']);
  });

  it('one whose own query asks for something else is refused, whatever the others ask for', () => {
    const metrics = ['s0-prometheus', 's1-prometheus'].map(
      (name): PolicyMetric => ({ kind: 'External', name, target }),
    );
    const queries = new Map([
      ['s0-prometheus', query],
      ['s1-prometheus', 'sum(rate(kedge_requests_total[30s]))'],
    ]);
    expect(() => measuresOf(metrics, [...queries.values()].join('\n'), queries)).toThrow(/s1-prometheus/);
  });

  it.each([
    [{ kind: 'External', name: 's0-prometheus', target }, 'query: up'],
    [{ kind: 'Pods', name: 'queue_length', target }, query],
    [{ kind: 'Resource', name: 'ephemeral-storage', target }, ''],
  ] satisfies [PolicyMetric, string][])('%j with %s is refused', (metric, manifest) =>
    expect(() => measuresOf([metric], manifest)).toThrow(expect.objectContaining({ code: 'config-invalid' })),
  );
});

it.each([
  [query, 120],
  ['sum(rate(kedge_inflight_seconds_total[30s]))', 30],
  ['sum(rate(kedge_inflight_seconds_total{pod=~"a.*"}[1m30s]))', 90],
  ['query: up', undefined],
])('the window of %s: %s', (text, seconds) => expect(windowOf(text)).toBe(seconds));
