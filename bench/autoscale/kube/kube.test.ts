import { describe, expect, it } from 'vitest';
import type { PolicyMetric } from '../../hpa/observe.ts';
import { isNews } from '../cluster-run.ts';
import { type ClusterPod, viewOf } from './objects.ts';
import { PodBook, stateOf } from './pod-book.ts';
import { tickOf } from './tick.ts';

const METRICS: PolicyMetric[] = [
  { kind: 'ContainerResource', name: 'cpu', container: 'server', target: { type: 'Utilization', percent: 70 } },
  { kind: 'External', name: 's0-prometheus', target: { type: 'AverageValue', milli: 4_000 } },
];
const labels = { 'app.kubernetes.io/name': 'kedge', 'app.kubernetes.io/component': 'server' };

/** As the API server of 1.37 gives it. */
const autoscaler = (status: object, name = 'keda-hpa-kedge') => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name, namespace: 'kedge', resourceVersion: '812' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'kedge' },
    minReplicas: 2,
    maxReplicas: 10,
  },
  status,
});
const deployment = (spec: object, status: object) => ({
  kind: 'Deployment',
  metadata: { name: 'kedge' },
  spec: { selector: { matchLabels: labels }, ...spec },
  status,
});
const pod = (name: string, status: object, metadata: object = {}): ClusterPod => ({
  kind: 'Pod',
  metadata: { name, labels: { ...labels, 'pod-template-hash': '1' }, ...metadata },
  status,
});
const ready = (status: string) => [{ type: 'Ready', status, reason: 'ContainersNotReady' }];
const list = (...items: object[]) => ({ kind: 'List', items });

describe('what an autoscaler told', () => {
  it.each([
    {
      what: 'scaled up',
      status: {
        currentReplicas: 3,
        desiredReplicas: 6,
        currentMetrics: [
          {
            type: 'ContainerResource',
            containerResource: {
              name: 'cpu',
              container: 'loader',
              current: { averageUtilization: 90, averageValue: '90m' },
            },
          },
          {
            type: 'ContainerResource',
            containerResource: {
              name: 'cpu',
              container: 'server',
              current: { averageUtilization: 12, averageValue: '120m' },
            },
          },
          { type: 'External', external: { metric: { name: 's0-prometheus' }, current: { averageValue: '13334m' } } },
        ],
        conditions: [
          { type: 'AbleToScale', status: 'True', reason: 'SucceededRescale' },
          { type: 'ScalingActive', status: 'True', reason: 'ValidMetricFound' },
          { type: 'ScalingLimited', status: 'True', reason: 'ScaleUpLimit' },
        ],
      },
      tick: {
        desired: 6,
        metrics: [
          { name: 'cpu', target: 70, value: 12 },
          { name: 's0-prometheus', target: 4, value: 13.334 },
        ],
        ableToScale: 'SucceededRescale',
        scalingActive: 'ValidMetricFound',
        scalingLimited: 'ScaleUpLimit',
      },
    },
    {
      what: 'before the first success',
      status: { currentReplicas: 3, desiredReplicas: 0, currentMetrics: [{ type: '' }, {}], conditions: [] },
      tick: {
        desired: 3,
        metrics: [
          { name: 'cpu', target: 70 },
          { name: 's0-prometheus', target: 4 },
        ],
      },
    },
    {
      what: 'with no replicas, where it divided by zero',
      status: {
        desiredReplicas: 0,
        currentMetrics: [
          {
            type: 'External',
            external: { metric: { name: 's0-prometheus' }, current: { averageValue: '-9223372036854775808m' } },
          },
        ],
      },
      tick: {
        desired: 3,
        metrics: [
          { name: 'cpu', target: 70 },
          { name: 's0-prometheus', target: 4 },
        ],
      },
    },
    {
      what: 'no metrics at all',
      status: { currentMetrics: null },
      tick: {
        desired: 3,
        metrics: [
          { name: 'cpu', target: 70 },
          { name: 's0-prometheus', target: 4 },
        ],
      },
    },
  ])('$what', ({ status, tick }) => {
    const view = viewOf(list(autoscaler(status), deployment({ replicas: 3 }, { readyReplicas: 2 })));
    expect(tickOf(view, METRICS, 30)).toEqual({ at: 30, current: 3, ready: 2, ...tick });
  });

  // The controller writes to the Deployment first, and its own status after that: what is listed may be of before and after.
  it.each([
    ['the Deployment has it already', { currentReplicas: 3, desiredReplicas: 6 }, 6, [3, 6]],
    ['the autoscaler has not told of it yet', { currentReplicas: 3, desiredReplicas: 3 }, 6, [3, 3]],
    ['nothing was told so far', undefined, 3, [3, 3]],
  ])('a decision is what the autoscaler told: %s', (_, status, replicas, decision) => {
    const view = viewOf(list(autoscaler(status as object), deployment({ replicas }, {})));
    const { current, desired } = tickOf(view, [], 0);
    expect([current, desired]).toEqual(decision);
  });

  it('may be zero replicas, where it may go there', () => {
    const toZero = autoscaler({ desiredReplicas: 0 });
    toZero.spec.minReplicas = 0;
    const view = viewOf(list(toZero, deployment({ replicas: 1 }, {})));
    expect(tickOf(view, [], 0)).toMatchObject({ current: 1, desired: 0, ready: 0 });
  });
});

describe('an autoscaler is found with its pods', () => {
  const other = pod('trainer', {});
  other.metadata.labels = { 'app.kubernetes.io/name': 'kedge', 'app.kubernetes.io/component': 'trainer' };
  const all = list(autoscaler({}), autoscaler({}, 'other'), deployment({}, {}), pod('a', {}), other);

  it('by name', () => expect(viewOf(all, 'other').pods.map(({ metadata }) => metadata.name)).toEqual(['a']));
  it.each([
    [undefined, /there are: keda-hpa-kedge, other/],
    ['none', /an autoscaler none; there are/],
  ])('%s is not one', (name, message) =>
    expect(() => viewOf(all, name)).toThrow(
      expect.objectContaining({ code: 'config-invalid', message: expect.stringMatching(message) }),
    ),
  );
  it('and not without its Deployment', () => expect(() => viewOf(list(autoscaler({})))).toThrow(/no Deployment/));
});

describe('the state of a pod', () => {
  it.each([
    [
      'pending',
      pod('p', { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] }),
      false,
      { state: 'starting', why: 'Unschedulable' },
    ],
    [
      'running',
      pod('p', { phase: 'Running', conditions: ready('False') }),
      false,
      { state: 'starting', why: undefined },
    ],
    ['ready', pod('p', { phase: 'Running', conditions: ready('True') }), false, { state: 'ready' }],
    [
      'no longer ready',
      pod('p', { phase: 'Running', conditions: ready('False') }),
      true,
      { state: 'unready', why: 'ContainersNotReady' },
    ],
    [
      'deleted',
      pod('p', { phase: 'Running', conditions: ready('True') }, { deletionTimestamp: '2026-11-24T10:00:00Z' }),
      true,
      { state: 'draining' },
    ],
    ['evicted', pod('p', { phase: 'Failed' }), true, { state: 'gone', why: 'Failed' }],
    ['new', { kind: 'Pod', metadata: { name: 'p' } } as ClusterPod, false, { state: 'starting', why: undefined }],
  ])('%s', (_, one, wasReady, state) => expect(stateOf(one, wasReady)).toEqual(state));
});

it('the lives of pods come of looks at them', () => {
  const book = new PodBook();
  const is = (name: string, status: string, metadata: object = {}) =>
    pod(name, { phase: 'Running', conditions: ready(status) }, metadata);
  book.look([is('a', 'True')], 0);
  book.look([is('a', 'True'), is('b', 'False')], 1);
  book.look([is('a', 'False'), is('b', 'True')], 2);
  book.look([is('a', 'True'), is('b', 'True', { deletionTimestamp: 'x' })], 3);
  book.look([is('a', 'True')], 4);
  book.look([is('a', 'True')], 5);
  const told = book
    .records()
    .map(({ name, states }) => `${name}: ${states.map(({ at, state }) => `${state}@${at}`).join(' ')}`);
  expect(told).toEqual(['a: ready@0 unready@2 ready@3', 'b: starting@1 ready@2 draining@3 gone@4']);
});

it.each([
  [undefined, {}, true],
  [{ at: 10 }, { at: 12 }, false],
  [{ at: 10 }, { at: 25 }, true],
  [{ at: 10 }, { at: 12, desired: 4 }, true],
])('after %j a look %j is news: %s', (before, tick, news) => {
  const base = { at: 0, current: 1, desired: 1, ready: 1, metrics: [] };
  expect(isNews(before && { ...base, ...before }, { ...base, ...tick })).toBe(news);
});
