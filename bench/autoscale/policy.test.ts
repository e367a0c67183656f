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

describe('what cannot be run here is refused', () => {
  it.each([
    [{ minReplicas: 0 }, /--min 1/],
    [{ minReplicas: 4, maxReplicas: 3 }, /--max 3/],
  ])('%j', (changes, message) =>
    expect(() => localPolicy(undefined, changes)).toThrow(
      expect.objectContaining({ code: 'config-invalid', message: expect.stringMatching(message) }),
    ),
  );
});
