import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readPolicy } from '../hpa/manifest.ts';
import { DEFAULT_POLICY, DEFAULT_POLICY_FILE } from './default-policy.ts';
import { localPolicy, metricText } from './policy.ts';

const fileOf = (file: string) => ({ file, text: readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8') });

it('without a file is that of the manifests', () => {
  const { text, file } = fileOf(DEFAULT_POLICY_FILE);
  expect({ ...DEFAULT_POLICY, keda: undefined }).toEqual({ ...readPolicy(text, file), keda: undefined });
  const { source: _, keda: __, ...ours } = localPolicy(undefined, {});
  expect(localPolicy({ text, file }, {})).toMatchObject(ours);
});

it('is that of any manifest', () => {
  const policy = localPolicy(fileOf('manifests/base/autoscaler.yaml'), { minReplicas: 1 });
  expect(policy).toMatchObject({ name: 'kedge', spec: { minReplicas: 1, maxReplicas: 10 }, measures: ['cpu'] });
  expect(policy.metrics.map(metricText)).toEqual(['ContainerResource cpu of server, 70 % of the request']);
});

describe('what goes to zero', () => {
  const zero = {
    file: 'scale-to-zero',
    text: ['route.yaml', 'scaled-object.yaml']
      .map((name) => fileOf(`manifests/components/scale-to-zero/${name}`).text)
      .join('\n---\n'),
  };
  const scaled = (query: string, spec = ''): { file: string; text: string } => ({
    file: 'so.yaml',
    text: `
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: web }
spec:
  scaleTargetRef: { name: web }
  ${spec}
  triggers: [{ type: prometheus, metadata: { query: "${query}", threshold: "4" } }]`,
  });

  it('by the HTTP add-on begins there, and requests are held as its route says', () => {
    expect(localPolicy(zero, {})).toMatchObject({
      least: 0,
      spec: { minReplicas: 1, maxReplicas: 10 },
      measures: ['pending'],
      activation: { minReplicas: 0 },
      interceptor: { route: 'kedge', readinessSeconds: 120 },
    });
  });

  it('goes no lower than it is told to', () => {
    const policy = localPolicy(zero, { minReplicas: 2 });
    expect([policy.least, policy.spec.minReplicas, policy.activation]).toEqual([2, 2, undefined]);
    expect(localPolicy(scaled('interceptor_request_concurrency', 'minReplicaCount: 3'), {}).least).toBe(3);
  });

  it('is asleep at its idle number, too', () =>
    expect(
      localPolicy(scaled('interceptor_request_concurrency', 'minReplicaCount: 3\n  idleReplicaCount: 0'), {}),
    ).toMatchObject({ least: 0, spec: { minReplicas: 3 }, interceptor: { route: undefined, maxPending: undefined } }));

  it('is refused where nothing would wake it', () =>
    expect(() => localPolicy(scaled('rate(kedge_inflight_seconds_total[30s])'), {})).toThrow(
      /nothing would wake it.*--min 1/,
    ));
});

describe('what cannot be run here is refused', () => {
  it.each([
    [{ minReplicas: 0 }, /minReplicaCount 0, or --min 1/],
    [{ minReplicas: 4, maxReplicas: 3 }, /--max 3/],
  ])('%j', (changes, message) =>
    expect(() => localPolicy(undefined, changes)).toThrow(
      expect.objectContaining({ code: 'config-invalid', message: expect.stringMatching(message) }),
    ),
  );
});
