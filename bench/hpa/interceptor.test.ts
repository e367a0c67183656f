import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Policy, readPolicy } from './manifest.ts';

const shipped = (file: string): string =>
  readFileSync(new URL(`../../manifests/components/scale-to-zero/${file}`, import.meta.url), 'utf8');

const SCALED = {
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'ScaledObject',
  metadata: { name: 'web' },
  spec: {
    scaleTargetRef: { name: 'web' },
    triggers: [{ type: 'external-push', metadata: { scalerAddress: 'a:1', interceptorRoute: 'web' } }],
  },
};

function read(spec: object, scaled: object = SCALED): Policy {
  const route = { apiVersion: 'http.keda.sh/v1beta1', kind: 'InterceptorRoute', metadata: { name: 'web' }, spec };
  return readPolicy(`${stringify(scaled)}---\n${stringify(route)}`, 'all.yaml');
}

const concurrency = { scalingMetric: { concurrency: { targetValue: 3 } } };

describe('a ScaledObject that scales by an InterceptorRoute', () => {
  it('that is shipped is read with the route beside it', () => {
    const policy = readPolicy(`${shipped('route.yaml')}---\n${shipped('scaled-object.yaml')}`, 'scale-to-zero');
    expect(policy).toMatchObject({
      spec: { minReplicas: 1, maxReplicas: 10 },
      metrics: [
        { kind: 'External', name: 's0-http_kedge_concurrency', target: { type: 'AverageValue', milli: 4_000 } },
      ],
      keda: {
        minReplicas: 0,
        pollingSeconds: 30,
        cooldownSeconds: 300,
        active: [{ metric: 's0-http_kedge_concurrency', above: 0, pushed: true }],
        alwaysActive: false,
        interceptor: { route: 'kedge', targetConcurrency: 4, maxPending: undefined, readinessSeconds: 120 },
      },
    });
  });

  it.each([
    [
      { scalingMetric: { concurrency: {} } },
      { targetConcurrency: 100, maxPending: undefined, readinessSeconds: undefined },
    ],
    [{ ...concurrency, timeouts: { readiness: '1m30s' } }, { readinessSeconds: 90 }],
    [{ ...concurrency, timeouts: { readiness: '0s' } }, { readinessSeconds: undefined }],
    [{ ...concurrency, coldStart: { maxPendingRequests: 0 } }, { maxPending: undefined }],
    [{ ...concurrency, coldStart: { maxPendingRequests: 5, overflow: 'Reject' } }, { maxPending: 5 }],
  ])('%j', (spec, terms) => expect(read(spec).keda!.interceptor).toMatchObject(terms));

  it('may ask Prometheus for what the interceptor counts: the route beside it then says how requests are held', () => {
    const query = 'sum(interceptor_request_concurrency)';
    const trigger = { type: 'prometheus', metadata: { query, threshold: '4', activationThreshold: '2' } };
    const policy = read(concurrency, { ...SCALED, spec: { ...SCALED.spec, triggers: [trigger] } });
    expect(policy.keda).toMatchObject({
      active: [{ metric: 's0-prometheus', above: 2_000, query }],
      interceptor: { route: 'web' },
    });
  });

  it.each([
    [{ scalingMetric: { requestRate: { targetValue: 3 } } }, 'spec.scalingMetric.concurrency: the only metric'],
    [{ scalingMetric: { ...concurrency.scalingMetric, requestRate: {} } }, 'requests a second are not counted here'],
    [{ ...concurrency, coldStart: { placeholder: {} } }, 'a placeholder is no answer of a model'],
    [{ ...concurrency, coldStart: { fallback: {} } }, 'there is no other service here'],
    [{ ...concurrency, coldStart: { maxPendingRequests: 5, overflow: 'Placeholder' } }, 'only Reject is read'],
    [{ ...concurrency, timeouts: { request: '5s' } }, 'said by the load'],
    [{ ...concurrency, timeouts: { readiness: 'soon' } }, "'soon' is no duration such as 120s"],
  ])('%j is refused: %s', (spec, problem) => expect(() => read(spec)).toThrow(problem));

  it('is refused without the route, and an HTTPScaledObject with what to write instead', () => {
    expect(() => readPolicy(shipped('scaled-object.yaml'), 'scaled-object.yaml')).toThrow(
      'give a file, or a folder, that holds both',
    );
    expect(() => readPolicy('kind: HTTPScaledObject', 'http.yaml')).toThrow(
      'as an InterceptorRoute and a ScaledObject',
    );
  });
});
