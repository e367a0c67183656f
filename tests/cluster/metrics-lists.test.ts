import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Any, documents, MANIFESTS } from '../manifests/objects.ts';
import { metricValueList, podMetricsList, ruleOf, type Scrape } from './metrics-lists.ts';

const NOW = Date.UTC(2026, 0, 1) / 1_000;
const RULE = { series: 'kedge_inflight_seconds_total', name: 'kedge_concurrency', windowSeconds: 30 };
const pod = (name: string) => ({ name, namespace: 'kedge' });

/** As the server writes it: text of Prometheus by pod, container and how many seconds ago. */
const scrape = (name: string, ago: number, text: string, container = 'server'): Scrape => ({
  at: NOW - ago,
  pod: name,
  container,
  text,
});
const inFlight = (seconds: number): string =>
  `# TYPE kedge_inflight_seconds_total counter\nkedge_inflight_seconds_total ${seconds}\nkedge_inflight_requests 9\n`;
const process = (seconds: number, bytes = 2 ** 20): string =>
  `process_cpu_seconds_total ${seconds}\nprocess_resident_memory_bytes ${bytes}\n`;

describe('the custom metrics of pods', () => {
  it.each<[string, Scrape[], Record<string, string>]>([
    ['none was scraped', [], {}],
    ['once is not enough', [scrape('a', 5, inFlight(7))], {}],
    [
      'the rate over the window, for each pod by itself',
      [
        ...[25, 15, 5].map((ago) => scrape('a', ago, inFlight(1_000 - 4 * ago))),
        ...[25, 15, 5].map((ago) => scrape('b', ago, inFlight(500 - 0.25 * ago))),
      ],
      { a: '4000m', b: '250m' },
    ],
    [
      'what is older than the window does not count',
      [scrape('a', 65, inFlight(0)), scrape('a', 20, inFlight(900)), scrape('a', 10, inFlight(900))],
      { a: '0m' },
    ],
    [
      'a new pod began with nothing, and is not extended to before it',
      [scrape('a', 10, inFlight(0)), scrape('a', 0, inFlight(60))],
      { a: '2000m' },
    ],
    ['a pod that nobody asked for', [25, 15, 5].map((ago) => scrape('other', ago, inFlight(10 * ago))), {}],
    ['a loader counts no requests', [25, 5].map((ago) => scrape('a', ago, process(ago), 'loader')), {}],
  ])('%s', (_, scrapes, values) => {
    const list = metricValueList(RULE, [pod('a'), pod('b')], scrapes, NOW);
    expect(Object.fromEntries(list.items.map((item: Any) => [item.describedObject.name, item.value]))).toEqual(values);
  });

  it('as the API has them', () => {
    const scrapes = [25, 15, 5].map((ago) => scrape('a', ago, inFlight(1_000 - 4 * ago)));
    expect(metricValueList(RULE, [pod('a')], scrapes, NOW)).toEqual({
      kind: 'MetricValueList',
      apiVersion: 'custom.metrics.k8s.io/v1beta2',
      metadata: {},
      items: [
        {
          describedObject: { kind: 'Pod', namespace: 'kedge', name: 'a', apiVersion: '/v1' },
          metric: { name: 'kedge_concurrency' },
          timestamp: '2026-01-01T00:00:00Z',
          windowSeconds: 30,
          value: '4000m',
        },
      ],
    });
  });
});

describe('what containers use', () => {
  it.each<[string, Scrape[], Record<string, string>]>([
    ['none was scraped', [], {}],
    ['once is not enough', [scrape('a', 5, process(7))], {}],
    [
      'between the last two',
      [20, 10, 0].map((ago, index) => scrape('a', ago, process([0, 3, 5][index]!))),
      { server: '200000000n' },
    ],
    ['a process that began again', [scrape('a', 10, process(9)), scrape('a', 0, process(1))], {}],
    [
      'each container by itself',
      [10, 0].flatMap((ago) => [scrape('a', ago, process(20 - ago)), scrape('a', ago, process(0.5), 'loader')]),
      { server: '1000000000n', loader: '0n' },
    ],
  ])('%s', (_, scrapes, cpu) => {
    const [first] = podMetricsList([pod('a')], scrapes).items;
    const told = (first?.containers ?? []).map(({ name, usage }: Any) => [name, usage.cpu]);
    expect(Object.fromEntries(told)).toEqual(cpu);
  });

  it('as the API has it', () => {
    const scrapes = [10, 0].map((ago) => scrape('a', ago, process(20 - ago)));
    expect(podMetricsList([pod('a'), pod('b')], scrapes)).toEqual({
      kind: 'PodMetricsList',
      apiVersion: 'metrics.k8s.io/v1beta1',
      metadata: {},
      items: [
        {
          metadata: { name: 'a', namespace: 'kedge' },
          timestamp: '2026-01-01T00:00:00Z',
          window: '10s',
          containers: [{ name: 'server', usage: { cpu: '1000000000n', memory: '1024Ki' } }],
        },
      ],
    });
  });
});

describe('the rule of the adapter', () => {
  const rules = readFileSync(join(MANIFESTS, 'components/prometheus-adapter/rules.yaml'), 'utf8');
  it('is that of the manifests', () => {
    const [{ data }] = documents(rules);
    expect(ruleOf(data['config.yaml'])).toEqual(RULE);
  });
  it('is refused where it is another', () => {
    const [{ data }] = documents(rules.replace('rate(', 'irate('));
    expect(() => ruleOf(data['config.yaml'])).toThrow(/no rule that is known/);
  });
});
