import { expect, it } from 'vitest';
import {
  type ContainerKind,
  type ContainerState,
  type ContainerView,
  phaseOf,
  type Since,
  statusOf,
} from './status.ts';

const AT = '2026-01-01T00:00:00Z';
const waiting: ContainerState = { waiting: { reason: 'PodInitializing' } };
const running: ContainerState = { running: { startedAt: AT } };
const ended = (exitCode: number): ContainerState => ({
  terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt: AT, finishedAt: AT },
});
const one = (kind: ContainerKind, state: ContainerState, more: Partial<ContainerView> = {}): ContainerView => {
  const runs = 'running' in state;
  return { name: kind, image: 'kedge', kind, state, restarts: 0, started: runs, ready: runs, ...more };
};

it.each<[string, ContainerView[], boolean, string]>([
  ['an init container runs', [one('init', running), one('main', waiting)], false, 'Pending'],
  ['a sidecar runs', [one('sidecar', running), one('main', waiting)], false, 'Pending'],
  ['a main container runs', [one('sidecar', running), one('main', running)], false, 'Running'],
  ['it waits to be started again', [one('main', waiting, { last: ended(1) })], false, 'Running'],
  ['it has ended, its sidecar not yet', [one('sidecar', running), one('main', ended(0))], false, 'Running'],
  ['all ended well', [one('init', ended(0)), one('main', ended(0))], true, 'Succeeded'],
  ['a sidecar was killed at the end', [one('sidecar', ended(137)), one('main', ended(0))], true, 'Succeeded'],
  ['one failed', [one('main', ended(42)), one('main', ended(0))], true, 'Failed'],
  ['an init container failed', [one('init', ended(3)), one('main', waiting)], true, 'Failed'],
  ['ended before its main container began', [one('sidecar', ended(0)), one('main', waiting)], true, 'Failed'],
])('%s: phase', (_, containers, over, phase) => expect(phaseOf(containers, over)).toBe(phase));

it('is ready with all its containers, and says since when', () => {
  const since: Since = new Map();
  const told = (ready: boolean, now: string): string[] => {
    const containers = [one('sidecar', running), one('main', running, { ready })];
    const { conditions } = statusOf(containers, { over: false, now, since, startTime: AT });
    return conditions
      .filter(({ type }: { type: string }) => /Ready/.test(type))
      .map(({ type, status, lastTransitionTime }: Record<string, string>) => `${type} ${status} ${lastTransitionTime}`);
  };
  expect(told(false, 'first')).toEqual(['ContainersReady False first', 'Ready False first']);
  expect(told(true, 'second')).toEqual(['ContainersReady True second', 'Ready True second']);
  expect(told(true, 'third')).toEqual(['ContainersReady True second', 'Ready True second']);
});
