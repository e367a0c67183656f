import { expect, it } from 'vitest';
import { Gate } from '../gate/gate.ts';
import { RequestStats } from '../request-stats.ts';
import { requestMetrics } from './requests.ts';
import { type MetricsSource, viewOf } from './source.ts';

const version = (number: number, digest: string) => ({
  model: 'm',
  version: number,
  digest,
  placement: { engine: 'inline', reason: '' },
  signature: { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }], outputs: [] },
});
const gate = () => new Gate({ maxRows: 10, queueRows: 10, queueBytes: 10, queueMs: 10, deadlineMs: () => undefined });
const sourceOf = (numbers: readonly number[], parts: Partial<MetricsSource>): MetricsSource => {
  const versions = numbers.map((number) => version(number, `d${number}`));
  const find = (number: number) => versions.find((one) => one.version === number);
  return { models: () => [{ name: 'm', versions, find }], access: { denied: new Map() }, ...parts } as never;
};

it('what two contents of one version number counted is one series', () => {
  const [one, stats] = [gate(), new RequestStats()];
  const waiter = { destroyed: false };
  for (const digest of ['before', 'now']) {
    const ticket = one.ask(waiter, 'm', undefined, 0);
    const inputs = new Map([['x', { datatype: 'FP32', shape: [2], data: new Float32Array(2) }]]);
    one.enter(ticket, version(1, digest) as never, inputs as never, 0);
  }
  const source = sourceOf([1], { gate: one, stats });
  const view = viewOf(source);
  const [rows] = requestMetrics(source, () => view).filter(({ name }) => name === 'kedge_queue_rows');
  expect([...rows!.pieces()]).toEqual(['kedge_queue_rows{model="m",version="1"} 4\n']);
});

it('names models and versions that there are, and drops what was counted of others', () => {
  const stats = new RequestStats();
  for (const [model, number] of [
    ['m', '1'],
    ['m', '2'],
    ['m', ''],
    ['', ''],
    ['gone', '1'],
    ['gone', ''],
  ] as const)
    stats.of(model, number).count(200, 1);
  const view = viewOf(sourceOf([1], { gate: gate(), stats }));
  expect(view.stats.map(({ labels }) => labels)).toEqual([
    'model="m",version="1"',
    'model="m",version=""',
    'model="",version=""',
  ]);
  expect([...stats.all()]).toHaveLength(3);
});
