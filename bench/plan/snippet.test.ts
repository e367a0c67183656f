import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { windowOf } from '../autoscale/signals/measured.ts';
import { readPolicy } from '../hpa/manifest.ts';
import { MANIFEST_BEHAVIOR } from '../hpa/manifest-behavior.ts';
import { SNIPPET_KINDS, snippetOf } from './snippet.ts';

const PLAN = { target: 2.5, minReplicas: 3, maxReplicas: 17 };
const SETTINGS = { metricWindowSeconds: 30, behavior: MANIFEST_BEHAVIOR };

// biome-ignore lint/suspicious/noExplicitAny: whatever a manifest holds
function manifest(path: string): any {
  return parse(readFileSync(fileURLToPath(new URL(`../../manifests/${path}`, import.meta.url)), 'utf8'));
}

it('a ScaledObject says what the one in the manifests does, but for its numbers', () => {
  const { spec } = parse(snippetOf('scaledobject', PLAN, SETTINGS));
  const known = manifest('components/keda/scaled-object.yaml').spec;
  expect(spec).toMatchObject({ minReplicaCount: 3, maxReplicaCount: 17 });
  expect(spec.triggers[0].metadata.threshold).toBe('2.5');
  expect(spec.advanced).toEqual(known.advanced);
  expect(spec.scaleTargetRef).toEqual(known.scaleTargetRef);
  const { threshold: _, ...metadata } = known.triggers[0].metadata;
  expect(spec.triggers[0]).toMatchObject({ ...known.triggers[0], metadata });
});

it('an HPA says what the one in the manifests does, but for its numbers', () => {
  const { spec } = parse(snippetOf('hpa', PLAN, SETTINGS));
  const known = manifest('base/autoscaler.yaml').spec;
  expect(spec).toMatchObject({ minReplicas: 3, maxReplicas: 17, scaleTargetRef: known.scaleTargetRef });
  expect(spec.behavior).toEqual(known.behavior);
  const [{ patch }] = manifest('components/prometheus-adapter/kustomization.yaml').patches;
  const [{ value }] = parse(patch);
  value.pods.target.averageValue = '2.5';
  expect(spec.metrics).toEqual([value]);
});

it.each(SNIPPET_KINDS)('a %s without behavior leaves it to the cluster, and is one that the bench reads', (kind) => {
  const policy = readPolicy(snippetOf(kind, PLAN, { metricWindowSeconds: 30, behavior: undefined }), 'snippet');
  expect(policy.behavior).toBeUndefined();
  expect(policy.spec).toMatchObject({ minReplicas: 3, maxReplicas: 17 });
  expect(policy.metrics[0]!.target).toEqual({ type: 'AverageValue', milli: 2_500 });
});

it.each([
  [30, '30s'],
  [2.5, '2500ms'],
  [2.0005, '2001ms'],
  [3_600, '3600s'],
])('a window of %d s is %s to Prometheus, and the same to the bench', (metricWindowSeconds, text) => {
  const snippet = snippetOf('scaledobject', PLAN, { ...SETTINGS, metricWindowSeconds });
  expect(parse(snippet).spec.triggers[0].metadata.query).toContain(`[${text}]`);
  expect(windowOf(snippet)).toBeCloseTo(metricWindowSeconds, 2);
});
