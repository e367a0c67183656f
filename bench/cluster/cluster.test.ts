import { expect, it } from 'vitest';
import { surplus } from './cluster.ts';
import type { PodState } from './pod.ts';

it.each<{ pods: Record<string, PodState>; replicas: number; go: string[] }>([
  { pods: {}, replicas: 0, go: [] },
  { pods: { a: 'ready', b: 'ready' }, replicas: 2, go: [] },
  { pods: { a: 'ready', b: 'ready', c: 'ready' }, replicas: 1, go: ['c', 'b'] },
  { pods: { a: 'starting', b: 'ready', c: 'ready' }, replicas: 2, go: ['a'] },
  { pods: { a: 'ready', b: 'unready', c: 'ready', d: 'starting' }, replicas: 1, go: ['d', 'b', 'c'] },
  { pods: { a: 'ready', b: 'draining', c: 'gone', d: 'ready' }, replicas: 1, go: ['d'] },
  { pods: { a: 'ready', b: 'draining' }, replicas: 1, go: [] },
])('of $pods with $replicas replicas go $go', ({ pods, replicas, go }) => {
  const all = Object.entries(pods).map(([name, state]) => ({ name, state }));
  expect(surplus(all, replicas).map(({ name }) => name)).toEqual(go);
});
