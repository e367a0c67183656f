import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readPolicy } from './manifest.ts';
import { simulate } from './simulate.ts';
import { DEFAULT_FLAGS } from './spec.ts';

function shipped(path: string): string {
  return readFileSync(fileURLToPath(new URL(`../../manifests/${path}`, import.meta.url)), 'utf8');
}

/** An HPA with this spec, and all that a spec needs. */
function hpa(spec: object): string {
  return stringify({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web' },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 5, ...spec },
  });
}

function pods(averageValue: unknown): object {
  return { type: 'Pods', pods: { metric: { name: 'inflight' }, target: { type: 'AverageValue', averageValue } } };
}

function scaled(trigger: object, spec: object = {}): string {
  return stringify({
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: 'web' },
    spec: { scaleTargetRef: { name: 'web' }, triggers: [trigger], ...spec },
  });
}

function problemsOf(text: string): string {
  try {
    readPolicy(text, 'hpa.yaml');
  } catch (error) {
    expect(error).toMatchObject({ code: 'config-invalid' });
    return (error as Error).message;
  }
  return 'none';
}

describe('a HorizontalPodAutoscaler', () => {
  it('is read with the defaults of the API server', () => {
    expect(readPolicy(hpa({}), 'hpa.yaml')).toEqual({
      name: 'web',
      spec: { minReplicas: 1, maxReplicas: 5, behavior: undefined },
      behavior: undefined,
      metrics: [{ kind: 'Resource', name: 'cpu', target: { type: 'Utilization', percent: 80 } }],
      keda: undefined,
    });
    const { spec, behavior } = readPolicy(hpa({ behavior: { scaleDown: { tolerance: '0.05' } } }), 'hpa.yaml');
    expect(behavior).toEqual({ scaleDown: { tolerance: 0.05 } });
    expect(spec.behavior!.scaleDown).toEqual({
      stabilizationWindowSeconds: 300,
      selectPolicy: 'Max',
      policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
    });
    const flags = { ...DEFAULT_FLAGS, downscaleStabilizationSeconds: 20 };
    const short = readPolicy(hpa({ behavior: {} }), 'hpa.yaml', { flags });
    expect(short.spec.behavior!.scaleDown.stabilizationWindowSeconds).toBe(20);
  });

  it('is read with every kind of metric', () => {
    const metric = { name: 'm' };
    const describedObject = { kind: 'Service', name: 'web' };
    const memory = { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } };
    const cpu = { name: 'cpu', container: 'server', target: { type: 'Utilization', averageUtilization: 70 } };
    const metrics = [
      pods('2500m'),
      { type: 'Object', object: { metric, describedObject, target: { type: 'Value', value: '100' } } },
      { type: 'External', external: { metric, target: { type: 'AverageValue', averageValue: 10 } } },
      { type: 'Resource', resource: memory },
      { type: 'ContainerResource', containerResource: cpu },
    ];
    expect(readPolicy(hpa({ metrics }), 'hpa.yaml').metrics).toEqual([
      { kind: 'Pods', name: 'inflight', target: { type: 'AverageValue', milli: 2_500 } },
      { kind: 'Object', name: 'm', target: { type: 'Value', milli: 100_000 } },
      { kind: 'External', name: 'm', target: { type: 'AverageValue', milli: 10_000 } },
      { kind: 'Resource', name: 'memory', target: { type: 'AverageValue', milli: 2 ** 30 * 1000 } },
      { kind: 'ContainerResource', name: 'cpu', container: 'server', target: { type: 'Utilization', percent: 70 } },
    ]);
  });

  it('that is shipped is read', () => {
    const { name, spec, metrics } = readPolicy(shipped('base/autoscaler.yaml'), 'autoscaler.yaml');
    expect(name).toBe('kedge');
    expect(metrics.map(({ kind, container }) => [kind, container])).toEqual([['ContainerResource', 'server']]);
    expect(spec.behavior?.scaleDown.policies).toEqual([{ type: 'Percent', value: 50, periodSeconds: 60 }]);
    const ticks = [...simulate({ spec, metrics, seconds: 60, load: () => 20, signal: (_, { load }) => load * 100 })];
    expect(ticks.at(-1)!.desired).toBe(3);
  });

  it.each([
    [hpa({ maxReplica: 9 }), 'Unrecognized key: "maxReplica"'],
    [hpa({ maxReplicas: undefined }), 'spec.maxReplicas'],
    [hpa({ minReplicas: 6 }), 'spec.maxReplicas: must not be less than minReplicas'],
    [hpa({ minReplicas: 0, metrics: [pods(4)] }), 'spec.minReplicas: 0 needs a metric of type Object or External'],
    [hpa({ metrics: [pods('four')] }), "spec.metrics[0].pods.target.averageValue: 'four' is no quantity"],
    [hpa({ metrics: [pods(0)] }), 'spec.metrics[0].pods.target.averageValue: must be more than zero'],
    [hpa({ metrics: [{ type: 'Pod', pods: {} }] }), 'spec.metrics[0].type'],
    [hpa({ behavior: { scaleUp: { policies: [] } } }), 'spec.behavior.scaleUp.policies: an empty list is refused'],
    [hpa({ behavior: { scaleUp: { stabilizationWindowSeconds: 3601 } } }), 'stabilizationWindowSeconds'],
    [hpa({ behavior: { scaleDown: { selectPolicy: 'Least' } } }), 'spec.behavior.scaleDown.selectPolicy'],
    [hpa({ behavior: { scaleDown: { tolerance: '-1' } } }), 'spec.behavior.scaleDown.tolerance: must not be negative'],
    [hpa({}).replace('autoscaling/v2', 'autoscaling/v1'), 'apiVersion: only autoscaling/v2 is read'],
    ['kind: Deployment', 'neither a HorizontalPodAutoscaler nor a ScaledObject'],
    ['a: [', 'hpa.yaml is no YAML'],
    ['', 'neither a HorizontalPodAutoscaler nor a ScaledObject'],
  ])('that is wrong is refused with what is wrong (%#)', (text, problem) => {
    expect(problemsOf(text)).toContain(problem);
  });

  it('is found among other objects, by name where there are several', () => {
    const others = `kind: Service\n---\n${hpa({})}---\n${hpa({ maxReplicas: 7 }).replace('name: web', 'name: api')}`;
    expect(problemsOf(others)).toContain('holds 2 autoscalers: name one of HorizontalPodAutoscaler web');
    expect(readPolicy(others, 'all.yaml', { name: 'api' }).spec.maxReplicas).toBe(7);
    expect(() => readPolicy(others, 'all.yaml', { name: 'db' })).toThrow('no autoscaler db');
  });
});

describe('a ScaledObject', () => {
  it('that is shipped becomes the HPA that KEDA makes of it', () => {
    const policy = readPolicy(shipped('components/keda/scaled-object.yaml'), 'scaled-object.yaml');
    expect(policy).toMatchObject({
      name: 'keda-hpa-kedge',
      spec: { minReplicas: 2, maxReplicas: 10 },
      metrics: [
        { kind: 'ContainerResource', name: 'cpu', container: 'server', target: { type: 'Utilization', percent: 70 } },
        { kind: 'External', name: 's0-prometheus', target: { type: 'AverageValue', milli: 4_000 } },
      ],
      keda: {
        minReplicas: 2,
        pollingSeconds: 15,
        cooldownSeconds: 300,
        active: [{ metric: 's0-prometheus', above: 0 }],
        alwaysActive: false,
        fallback: { failureThreshold: 4, replicas: 4, behavior: 'currentReplicasIfHigher' },
      },
    });
    expect(policy.spec.behavior?.scaleDown.stabilizationWindowSeconds).toBe(300);
  });

  it('with a least of zero makes an HPA with a least of one: KEDA itself goes to zero', () => {
    const trigger = {
      type: 'prometheus',
      metricType: 'Value',
      metadata: { serverAddress: 'http://p', query: 'q', threshold: '7.5', activationThreshold: '2' },
    };
    const policy = readPolicy(scaled(trigger), 'so.yaml');
    expect(policy.spec).toEqual({ minReplicas: 1, maxReplicas: 100, behavior: undefined });
    expect(policy.metrics).toEqual([
      { kind: 'External', name: 's0-prometheus', target: { type: 'Value', milli: 7_500 } },
    ]);
    expect(policy.keda).toMatchObject({
      minReplicas: 0,
      pollingSeconds: 30,
      active: [{ above: 2_000 }],
      alwaysActive: false,
    });
  });

  it('counts as active for ever only where nothing but CPU and memory scales it', () => {
    const cpu = { type: 'cpu', metricType: 'Utilization', metadata: { value: '70' } };
    const asked = { type: 'prometheus', metadata: { query: 'q', threshold: '4' } };
    expect(readPolicy(scaled(cpu), 'so.yaml').keda!.alwaysActive).toBe(true);
    expect(readPolicy(scaled(asked, { triggers: [cpu, asked] }), 'so.yaml').keda!.alwaysActive).toBe(false);
  });

  it.each([
    [scaled({ type: 'kafka', metadata: {} }), 'a trigger of type kafka aims at is not known'],
    [scaled({ type: 'prometheus', metadata: { query: 'q' } }), 'needs metadata.threshold'],
    [scaled({ type: 'cpu', metadata: { value: '70' } }), 'needs metricType'],
    [scaled({ type: 'cpu', metricType: 'Utilization', metadata: { value: 'much' } }), 'averageUtilization'],
    [scaled({ type: 'cpu', metricType: 'Utilization', metadata: { value: '70' } }, { maxReplica: 3 }), 'maxReplica'],
  ])('that is wrong is refused with what is wrong (%#)', (text, problem) => {
    expect(problemsOf(text)).toContain(problem);
  });
});
