import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readRecord } from '../../bench/report/read-record.ts';
import type { RunRecord } from '../../bench/report/record.ts';
import { type CommandResult, eventually, runKedge } from '../e2e/programs.ts';
import type { Any } from '../manifests/objects.ts';
import { type Told, toldBy } from './autoscaler-status.ts';
import { type Balancer, startBalancer } from './balancer.ts';
import { type ControlPlane, GUEST, startControlPlane } from './control-plane.ts';
import { asText, DEV_NAMESPACE, devObjectsWith, named, publishLinear, servingOf } from './dev-overlay.ts';
import { missingForPods, PROGRAMS, titled } from './machine.ts';
import { type MetricsApi, startMetricsApi } from './metrics-api.ts';
import { ruleOf } from './metrics-lists.ts';
import { Node } from './node/node.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const MOST = 4;
/**
 * Of a request, as it waits so long for others to share its run: requests are under way for a while, and no core of this machine has to work for it. At
 * the high rate about 14 are under way, which is more than three pods are to have.
 */
const WAIT_MS = 600;
const LOAD = 'constant:2/20s+constant:48/60s+constant:2/140s';
/** All else is as it is shipped. */
const PATCHES = [
  { op: 'replace', path: '/spec/maxReplicas', value: MOST },
  // In place of five minutes, so that the test is over in so many.
  { op: 'replace', path: '/spec/behavior/scaleDown/stabilizationWindowSeconds', value: 15 },
];

const SETTINGS = [
  'cluster',
  'json',
  'load',
  'look',
  'namespace',
  'outstanding',
  'reconnect',
  'report',
  'seed',
  'timeout',
  'url',
];

/**
 * The loop closed for real: the autoscaler of the manifests on the true number of requests under way, the HPA controller of Kubernetes that decides, pods
 * that are real processes, and `kedge bench autoscale --cluster`, which loads them and watches. What stands in is the node, and the adapter
 * between the pods' /metrics and the controller (metrics-api.ts).
 */
describe.skipIf(missingForPods)(titled('a cluster that scales by itself, watched by the bench', missingForPods), () => {
  let plane: ControlPlane;
  let node: Node;
  let metrics: MetricsApi;
  let balancer: Balancer;
  let ran: CommandResult;
  let record: RunRecord;
  let report: string;
  /** The last that was seen of each pod. */
  const pods = new Map<string, Any>();
  /** All that the autoscaler said since the bench began, and the last before. */
  const told: Told[] = [];
  const watching = new AbortController();
  const endpoints = () => node.services.endpoints(DEV_NAMESPACE, 'kedge', 'http');
  const servers = (): Any[] =>
    [...pods.values()].filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === 'server');
  const get = (...words: string[]): Promise<Any> => plane.kubectl.get('-n', DEV_NAMESPACE, ...words);

  beforeAll(async () => {
    plane = await startControlPlane();
    node = await Node.start(plane);
    const objects = servingOf(
      devObjectsWith(['prometheus-adapter'], {
        patches: [{ target: { kind: 'HorizontalPodAutoscaler', name: 'kedge' }, patch: JSON.stringify(PATCHES) }],
        configMapGenerator: [{ name: 'kedge', behavior: 'merge', literals: [`KEDGE_BATCH_WAIT_MS=${WAIT_MS}`] }],
      }),
    );
    const rule = ruleOf(named(objects, 'ConfigMap', 'kedge-adapter-rules').data['config.yaml']);
    metrics = await startMetricsApi(plane, rule, DEV_NAMESPACE);
    await plane.kubectl.apply(asText(objects));
    const watch = (path: string, note: (object: Any) => void): void =>
      void plane.api.watch(path, ({ object }) => note(object), watching.signal);
    watch(`/api/v1/namespaces/${DEV_NAMESPACE}/pods`, (pod) => pods.set(pod.metadata.name, pod));
    watch(`/apis/autoscaling/v2/namespaces/${DEV_NAMESPACE}/horizontalpodautoscalers`, (one) => told.push(toldBy(one)));
    await plane.kubectl.run(['-n', DEV_NAMESPACE, 'rollout', 'status', 'deploy/kedge-s3', '--timeout=300s']);
    await publishLinear(plane.kubectl, 2);
    await eventually(async () => endpoints().length === 1, 'a ready server', 300_000);
    const settled = async (): Promise<boolean> => {
      const [, desired, , read] = told.at(-1)!;
      return desired === 1 && read.every((value) => value !== undefined);
    };
    await eventually(settled, 'one replica and both metrics', 120_000);
    balancer = await startBalancer(endpoints);
    // All that whoever watches may do.
    const binding = ['rolebinding', GUEST, '--clusterrole=view', `--user=${GUEST}`];
    await plane.kubectl.run(['-n', DEV_NAMESPACE, 'create', ...binding]);

    told.splice(0, told.length - 1);
    const [json, html] = [join(plane.folder, 'run.json'), join(plane.folder, 'run.html')];
    const words = ['--cluster', '--namespace', DEV_NAMESPACE, '--load', LOAD, '--json', json, '--report', html];
    ran = await runKedge(['bench', 'autoscale', '--url', `http://127.0.0.1:${balancer.port}`, ...words], {
      PATH: `${dirname(PROGRAMS.kubectl)}:${process.env['PATH']}`,
      KUBECONFIG: plane.guestConfig,
    });
    console.log(`${ran.err}${ran.out}`);
    record = readRecord(readFileSync(json, 'utf8'), json);
    report = readFileSync(html, 'utf8');
  });
  afterAll(async () => {
    watching.abort();
    balancer?.close();
    await metrics?.close();
    await node?.close();
    await plane?.stop();
  });

  it('the HPA controller took it up and back down, by what the pods told of themselves', async () => {
    const { items } = await get('events', '--field-selector=reason=SuccessfulRescale');
    const sizes = new Set(items.map(({ message }: Any) => Number(/New size: (\d+);/.exec(message)![1])));
    expect(items.map(({ source }: Any) => source.component)).toEqual(items.map(() => 'horizontal-pod-autoscaler'));
    expect(sizes).toContain(MOST);
    expect(sizes).toContain(1);
    expect(items.map(({ message }: Any) => message).join('\n')).toMatch(/pods metric kedge_concurrency above target/);
    const deployment = await get('deployment', 'kedge');
    expect([deployment.spec.replicas, deployment.status.readyReplicas]).toEqual([1, 1]);
    for (const what of ['pods/*/kedge_concurrency', 'pods'])
      expect(metrics.asked.get(`system:serviceaccount:kube-system:horizontal-pod-autoscaler ${what}`)).toBeGreaterThan(
        10,
      );
  });

  it('pods that went were drained, and ended with 0', () => {
    const gone = servers().filter(({ metadata }) => metadata.deletionTimestamp);
    expect(servers().length - gone.length).toBe(1);
    expect(gone.length).toBeGreaterThanOrEqual(MOST - 1);
    const ends = gone.map(({ status }) =>
      [...status.containerStatuses, ...status.initContainerStatuses].map(({ name, state, restartCount }: Any) => [
        name,
        state.terminated?.exitCode,
        restartCount,
      ]),
    );
    expect(ends).toEqual(
      gone.map(() => [
        ['server', 0, 0],
        ['loader', 0, 0],
      ]),
    );
  });

  it('no request failed, and every pod had a part in them', () => {
    const { total } = record.load;
    expect(total).toMatchObject({ ok: total.scheduled, wrong: 0, failed: 0, dropped: 0 });
    expect(total.versions).toEqual({ 'linear/1': total.scheduled });
    expect(balancer.failures).toEqual([]);
    expect(balancer.shares.size).toBe(servers().length);
  });

  it('the bench says that it holds, by its exit code too', () => {
    expect(ran.code).toBe(0);
    expect(record.verdicts.map(({ assertion, holds }) => [assertion, holds])).toEqual([
      ['max_error_rate: 0', true],
      ['max_wrong: 0', true],
      ['reaches: 2', true],
      ['returns_to_min_within_s: 600', true],
    ]);
    expect(record.title).toBe(`Replicas 1 to ${MOST} by kedge, in a cluster`);
  });

  it('the record tells nothing but what the controller told, and all that it decided', () => {
    const { by, policy, ticks } = record.scaling!;
    expect(by).toBe('cluster');
    expect(policy).toMatchObject({
      minReplicas: 1,
      maxReplicas: MOST,
      metrics: ['ContainerResource cpu of server, 70 % of the request', 'Pods kedge_concurrency, 4 for each pod'],
    });
    const known = new Set(told.map((one) => JSON.stringify(one)));
    const seen = ticks.map(
      ({ current, desired, ableToScale, scalingActive, scalingLimited, metrics: read }): Told => [
        current,
        desired,
        [ableToScale, scalingActive, scalingLimited],
        read.map(({ value }) => value),
      ],
    );
    // Of no setting that only a cluster of this machine would have had.
    expect(Object.keys(record.settings).sort()).toEqual(SETTINGS);
    expect(seen.filter((one) => !known.has(JSON.stringify(one)))).toEqual([]);
    const decisions = (of: readonly Told[]): number[] => changes(of.map(([, desired]) => desired));
    expect(decisions(seen)).toEqual(decisions(told));
  });

  it('the lives of the pods are told', () => {
    const { ticks, pods: lives } = record.scaling!;
    expect(Math.max(...ticks.map(({ ready }) => ready))).toBe(MOST);
    expect(ticks.at(-1)).toMatchObject({ desired: 1, ready: 1 });
    expect(lives.map(({ name }) => name).sort()).toEqual(
      servers()
        .map(({ metadata }) => metadata.name)
        .sort(),
    );
    const ways = lives.map(({ states }) => states.map(({ state }) => state).join(' ')).sort();
    expect(new Set(ways)).toEqual(new Set(['ready', 'starting ready draining gone']));
  });

  it('the report shows it, and judges it by more', async () => {
    const shown = [
      'SucceededRescale',
      'ScaleDownStabilized',
      'ScaleDownLimit',
      ...record.scaling!.pods.map(({ name }) => name),
    ];
    expect(shown.filter((text) => !report.includes(text))).toEqual([]);
    const must = join(plane.folder, 'must.yaml');
    const more = ['never_above: 3', 'no_flapping: true', 'scale_up_within_s: 170', 'scale_down_within_s: 170'];
    writeFileSync(must, more.join('\n'));
    const { code, out } = await runKedge(['bench', 'report', join(plane.folder, 'run.json'), '--assert', must], {});
    console.log(out);
    expect(code).toBe(1);
    expect(out).toContain(`FAILED  never_above: 3: at most ${MOST}`);
    expect(out).toContain('holds   no_flapping: true: never');
    // Up in the minute of the high load, and down in the time after it: whatever was measured, it was not cut off.
    expect(out).toMatch(/holds {3}scale_up_within_s: 170: [\d.]+ s to 4, from (?:19|2\d(?:\.\d+)?) s on/);
    expect(out).toMatch(/holds {3}scale_down_within_s: 170: [\d.]+ s to 1, from (?:79|8\d(?:\.\d+)?) s on/);
  });
});

/** Without what is the same as before it. */
function changes(values: readonly number[]): number[] {
  return values.filter((value, index) => value !== values[index - 1]);
}
