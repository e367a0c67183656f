import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LoaderMetrics } from '../../loader/metrics.ts';
import { startTestServer, type TestServer } from '../../server/testing/test-server.ts';
import { TestVolume } from '../../server/testing/volume.ts';
import { alerts, dashboard, expressions, labelsIn, metricsIn, recordedIn, ruleGroups } from './expressions.ts';
import { readYaml } from './objects.ts';

/** What Kubernetes, Prometheus and its operator add to each series, or other exporters have. */
const LABELS_OF_OTHERS = ['namespace', 'pod', 'container', 'deployment', 'job_name', 'condition', 'le'];
const METRICS_OF_OTHERS = ['kube_deployment_spec_replicas', 'kube_job_failed'];

let volume: TestVolume;
let server: TestServer;
let told: Set<string>;

/** Names that a scrape has or will have, those of a histogram's series included. */
function names(text: string): string[] {
  return [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name, type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name!],
  );
}

beforeAll(async () => {
  volume = new TestVolume();
  await volume.write();
  // The budget has a series only where there is one.
  server = await startTestServer(volume, { KEDGE_MEMORY_BUDGET_MB: '1024' });
  const ofServer = await fetch(`${server.admin}/metrics`).then((response) => response.text());
  const ofLoader = await new LoaderMetrics().registry.metrics();
  told = new Set([...names(ofServer), ...names(ofLoader)]);
});
afterAll(async () => {
  await server.stop();
  volume.remove();
});

it('every metric that is asked for is one that a program tells', () => {
  const asked = expressions().flatMap(({ place, text }) => metricsIn(text).map((name) => [place, name] as const));
  expect(asked.length).toBeGreaterThan(40);
  expect(asked.filter(([, name]) => !told.has(name) && !METRICS_OF_OTHERS.includes(name))).toEqual([]);
});

it('every recorded metric that is asked for is recorded', () => {
  const recorded = ruleGroups()
    .flatMap(({ rules }) => rules)
    .flatMap(({ record }) => record ?? []);
  expect(recorded.length).toBeGreaterThan(0);
  expect(
    expressions()
      .flatMap(({ text }) => recordedIn(text))
      .filter((name) => !recorded.includes(name)),
  ).toEqual([]);
});

it('every label that is picked by is one that the programs write', () => {
  const sources = [
    'server/metrics.ts',
    'server/metrics/models.ts',
    'server/metrics/requests.ts',
    'server/metrics/source.ts',
    'loader/metrics.ts',
  ];
  const code = sources.map((path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')).join('\n');
  const written = (label: string): boolean =>
    new RegExp(`\\b${label}=\\\\?"|\\b${label}[:,]|'${label}'|[{ ]${label} }`).test(code);
  const asked = new Set(expressions().flatMap(({ text }) => labelsIn(text)));
  expect([...asked].filter((label) => !LABELS_OF_OTHERS.includes(label) && !written(label))).toEqual([]);
  expect(written('colour')).toBe(false);
});

it('names in an expression are told apart from labels and functions', () => {
  const text = 'sum by (kedge_x) (rate(kedge_a_total{kedge_b="kedge_c"}[5m])) / namespace:kedge_d:rate30s > nv_e';
  expect(metricsIn(text)).toEqual(['kedge_a_total', 'nv_e']);
  expect(recordedIn(text)).toEqual(['namespace:kedge_d:rate30s']);
  expect(labelsIn(text)).toEqual(['kedge_b', 'kedge_x']);
});

describe('alerts', () => {
  const docs = fileURLToPath(new URL('../../docs/kubernetes.md', import.meta.url));
  const tests = readFileSync(new URL('./rules.test.yaml', import.meta.url), 'utf8');

  it('each has a severity, a sentence, a runbook, and a test that it fires', () => {
    const headings = existsSync(docs)
      ? [...readFileSync(docs, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, title]) => title!.toLowerCase())
      : [];
    for (const { name, rule } of alerts()) {
      expect(rule.labels.severity, name).toMatch(/^(critical|warning)$/);
      expect(rule.annotations.summary, name).toMatch(/\.$/);
      expect(rule.annotations.runbook, name).toBe(`docs/kubernetes.md#${name.toLowerCase()}`);
      expect(headings, name).toContain(name.toLowerCase());
      expect(tests, name).toContain(`alertname: ${name}\n`);
    }
  });
});

it('the signal of keda and of prometheus-adapter is the same', () => {
  const [trigger] = readYaml('components/keda/scaled-object.yaml').spec.triggers;
  const { patches } = readYaml('components/prometheus-adapter/kustomization.yaml');
  expect(trigger.metadata.threshold).toBe('4');
  expect(patches[0].patch).toContain('averageValue: "4"');
  expect(readYaml('components/prometheus-adapter/rules.yaml').data['config.yaml']).toContain('as: kedge_concurrency');
  expect(patches[0].patch).toContain('name: kedge_concurrency');
  // A rate over 30 s wants at least two scrapes in it.
  const { podMetricsEndpoints } = readYaml('components/monitoring/pod-monitor.yaml').spec;
  expect(
    Number.parseInt(podMetricsEndpoints.find(({ port }: { port: string }) => port === 'admin').interval, 10),
  ).toBeLessThanOrEqual(10);
});

it('the dashboard: each panel has a title, a place and an id of its own', () => {
  const { panels } = dashboard();
  expect(new Set(panels.map(({ id }: { id: number }) => id)).size).toBe(panels.length);
  expect(new Set(panels.map(({ gridPos: { x, y } }: { gridPos: { x: number; y: number } }) => `${x},${y}`)).size).toBe(
    panels.length,
  );
  for (const { title, type, targets } of panels) {
    expect(title).toMatch(/\S/);
    if (type !== 'row') expect(targets.length).toBeGreaterThan(0);
  }
});
