import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { scaledObjectSchema, toHpa } from '../keda.ts';
import { reads, scenario } from './parts.ts';
import type { Scenario, Steps } from './scenario.ts';

function manifest(path: string): unknown {
  return parse(readFileSync(new URL(`../../../manifests/${path}`, import.meta.url), 'utf8'));
}

const DAY: Steps = [
  [0, 6],
  [120, 30],
  [240, 55],
  [500, 18],
  [900, 3],
];

/** CPU of the servers, in cores: a little at rest, much while they start and load. */
function servers(coresPerRequest: number) {
  const cores: Steps = DAY.map(([at, load]) => [at, load * coresPerRequest]);
  return reads(cores, { start: 950, age: 8, window: 15 });
}

/** The policies that Kedge's own manifests hold. */
export const SHIPPED: readonly Scenario[] = [
  scenario({
    name: 'shipped-base',
    about: 'manifests/base: by CPU of the server alone',
    seconds: 1_500,
    replicas: 2,
    hpa: manifest('base/autoscaler.yaml') as object,
    pods: { running: [[0, 3]], ready: [[0, 12]], drain: 20 },
    metrics: [servers(0.11)],
  }),
  scenario({
    name: 'shipped-keda',
    about:
      'manifests/components/keda: the HPA that KEDA makes, with Prometheus away for less than what KEDA falls back after',
    seconds: 1_500,
    replicas: 2,
    hpa: toHpa(scaledObjectSchema.parse(manifest('components/keda/scaled-object.yaml'))).hpa,
    pods: { running: [[0, 3]], ready: [[0, 12]], drain: 20 },
    metrics: [servers(0.05), reads(DAY, { away: [[600, 660]] })],
  }),
];
