import { describe, expect, it } from 'vitest';
import { environmentOf, expand, type References } from './environment.ts';

const references: References = {
  configMaps: new Map([['settings', { A: 'of the map', B: 'b' }]]),
  secrets: new Map([['keys', { A: 'of the secret', KEY: 'k' }]]),
};
const server = { name: 'server', resources: { limits: { memory: '2Gi', cpu: '1500m' } } };
const pod = {
  metadata: { name: 'p', labels: { 'kedge/stage': 'first' } },
  spec: { initContainers: [{ name: 'loader' }], containers: [server] },
  status: { podIP: '10.1.2.3' },
};
const of = (container: object): Record<string, string> =>
  environmentOf({ name: 'loader', ...container }, pod, references);

describe('the environment of a container', () => {
  it('later sources win, and own variables over all', () => {
    const envFrom = [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'keys' } }];
    expect(of({ envFrom })).toEqual({ A: 'of the secret', B: 'b', KEY: 'k' });
    expect(of({ envFrom, env: [{ name: 'A', value: 'own, $(B)' }] })).toMatchObject({ A: 'own, b' });
  });

  it('what is optional may be absent, what is not is told of', () => {
    expect(of({ envFrom: [{ secretRef: { name: 'gone', optional: true } }] })).toEqual({});
    expect(() => of({ envFrom: [{ secretRef: { name: 'gone' } }] })).toThrow('secret "gone" not found');
    const key = (more: object): object => ({
      env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'keys', ...more } } }],
    });
    expect(of(key({ key: 'KEY' }))).toEqual({ X: 'k' });
    expect(of(key({ key: 'NO', optional: true }))).toEqual({});
    expect(() => of(key({ key: 'NO' }))).toThrow("couldn't find key NO in keys");
  });

  it.each([
    [{ fieldRef: { fieldPath: 'metadata.name' } }, 'p'],
    [{ fieldRef: { fieldPath: 'status.podIP' } }, '10.1.2.3'],
    [{ fieldRef: { fieldPath: "metadata.labels['kedge/stage']" } }, 'first'],
    [{ resourceFieldRef: { containerName: 'server', resource: 'limits.memory', divisor: '1Mi' } }, '2048'],
    [{ resourceFieldRef: { containerName: 'server', resource: 'limits.cpu' } }, '2'],
  ])('%j', (valueFrom, value) => expect(of({ env: [{ name: 'X', valueFrom }] })).toEqual({ X: value }));
});

it.each([
  ['$(A)/b', 'a/b'],
  ['$(NO)', '$(NO)'],
  ['$$(A)', '$(A)'],
  ['$A', '$A'],
])('%s in a command is %s', (text, wanted) => expect(expand(text, { A: 'a' })).toBe(wanted));
