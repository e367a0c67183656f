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
});
