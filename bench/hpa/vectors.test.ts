import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkVector, type HpaVector } from './vectors.ts';

const file = fileURLToPath(new URL('../../../shared/hpa/vectors.json', import.meta.url));
const recorded = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as HpaVector[]) : undefined;

describe.skipIf(!recorded)('recorded cases of the HPA controller (left out without ../shared/hpa)', () => {
  it.each((recorded ?? []).map((vector) => [`${vector.fn}: ${vector.name}`, vector] as const))('%s', (_, vector) => {
    expect(checkVector(vector)).toEqual([]);
  });
});

describe('checking a vector', () => {
  const limits: HpaVector = {
    name: 'double at most',
    fn: 'convertDesiredReplicasWithRules',
    currentReplicas: 3,
    prenormalizedDesiredReplicas: 20,
    minReplicas: 1,
    maxReplicas: 20,
    expected: { replicas: 6, reason: 'ScaleUpLimit' },
  };

  it('finds nothing where all comes out', () => {
    expect(checkVector(limits)).toEqual([]);
  });

  it('names what does not come out, and what it does not know', () => {
    const wrong = { ...limits, expected: { replicas: 7, mood: 'good' } };
    expect(checkVector(wrong)).toEqual(['replicas: wanted 7, came 6', 'mood: wanted "good", came undefined']);
    expect(checkVector({ ...limits, fn: 'guess' })[0]).toContain('there is no function guess');
  });

  const pod = { name: 'a', phase: 'Running', ready: true, deleting: false, startAgeSec: 60, lastTransitionAgeSec: 60 };
  const metric = {
    name: 'as many as two need',
    fn: 'GetMetricReplicas',
    metricType: 'Pods/AverageValue',
    currentReplicas: 1,
    target: 10_000,
    pods: [{ ...pod, metricAgeSec: 0, metricWindowSec: 60 }],
    perPodValuesMilli: [20_000],
    expected: { replicas: 2 },
  } as HpaVector;
  const replay = { ...limits, ...metric, fn: 'trace', totalLoadMilli: [], tolerance: { up: 0.1, down: 0.1 } };

  it.each<[string, object, RegExp]>([
    ['no metricType', { ...metric, metricType: undefined }, /^it lacks metricType, which GetMetricReplicas needs$/],
    ['null for it', { ...metric, metricType: null }, /^it lacks metricType/],
    [
      'one that is none',
      { ...metric, metricType: 'Pods/some' },
      /^it cannot be run: metricType is 'Pods\/some'; write/,
    ],
    ['no reading', { ...metric, metricType: 'Pods/Value' }, /^it cannot be run: .* no target of type Value/],
    [
      'several missing',
      { ...limits, minReplicas: undefined, maxReplicas: null },
      /^it lacks minReplicas, maxReplicas,/,
    ],
    ['nothing expected', { ...limits, expected: {} }, /^it expects nothing/],
    ['no expectation', { ...limits, expected: null }, /^it expects nothing/],
    ['a list expected', { ...limits, expected: [] }, /^it expects nothing/],
    ['a run without steps', { ...replay, expected: { steps: [] } }, /^it cannot be run: expected\.steps has no steps/],
    ['a name of every object', { ...limits, fn: 'toString' }, /^there is no function toString/],
  ])('a case with %s is one that fails, with its reason', (_, vector, reason) => {
    expect(checkVector(metric)).toEqual([]);
    expect(checkVector(vector as HpaVector)).toEqual([expect.stringMatching(reason)]);
  });
});
