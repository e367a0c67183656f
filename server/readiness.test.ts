import { describe, expect, it } from 'vitest';
import { linearModel } from '../contract/onnx/testing/models.ts';
import type { ServedModel } from './lifecycle/served-model.ts';
import { type ReadinessFacts, readinessOf } from './readiness.ts';
import { FakeEngine } from './testing/fake-engine.ts';
import { get, startTestServer } from './testing/test-server.ts';
import { TestVolume } from './testing/volume.ts';

/** Models by name, and whether each is able to answer. */
const tableOf = (models: Record<string, boolean>): ReadinessFacts['table'] => {
  const all = Object.entries(models).map(([name, isAble]) => ({ name, isAble }) as ServedModel);
  return { model: (name) => all.find((one) => one.name === name), models: () => all };
};
const GOOD: ReadinessFacts = {
  draining: false,
  required: [],
  table: tableOf({ a: true, b: false }),
  firstLoads: [],
  problem: undefined,
};

describe('a server is ready', () => {
  it.each<[string, Partial<ReadinessFacts>]>([
    ['once any model answers', {}],
    ['once all that are required answer', { required: ['a'] }],
    ['whatever became of the catalog since', { problem: 'it went' }],
  ])('%s', (_when, facts) => expect(readinessOf({ ...GOOD, ...facts })).toBeUndefined());
});

describe('a server is not ready', () => {
  it.each<[string, Partial<ReadinessFacts>, RegExp]>([
    ['while it drains', { draining: true }, /draining/],
    ['while a required one does not answer', { required: ['a', 'b', 'c'] }, /^Not answering yet: b, c\.$/],
    ['while models of the first catalog load', { firstLoads: ['b'] }, /still loading: b\.$/],
    ['and tells no more than a few names', { firstLoads: [...'bcdefgh'] }, /: b, c, d, e, f and 2 more\.$/],
    ['while they load, though all that are required answer', { required: ['a'], firstLoads: ['b'] }, /loading: b/],
    ['while nothing answers', { table: tableOf({ b: false }), problem: 'it is away' }, /^No model .* it is away\.$/],
  ])('%s', (_when, facts, message) => expect(readinessOf({ ...GOOD, ...facts })?.message).toMatch(message));
});

it('a replica is ready when each model of its first catalog answers, and stays so when others come', async () => {
  const volume = new TestVolume();
  const engine = new FakeEngine();
  for (const name of ['a', 'b']) volume.add(name, 1, linearModel());
  await volume.write();
  const server = await startTestServer(volume, {}, { engines: { inline: engine, host: engine } });
  const show = async (loading: string[]): Promise<void> => {
    await server.catalog.look();
    await new Promise(setImmediate);
    expect(engine.loading).toEqual(loading);
  };
  const ready = async () => {
    await new Promise(setImmediate);
    return get(`${server.url}/v2/health/ready`);
  };
  try {
    await show(['a/1', 'b/1']);
    engine.finish('a/1');
    expect(await ready()).toMatchObject({ status: 503, body: { error: expect.stringMatching(/still loading: b\.$/) } });
    engine.finish('b/1');
    expect((await ready()).status).toBe(200);
    volume.add('c', 1, linearModel());
    await volume.write();
    await show(['c/1']);
    expect((await ready()).status).toBe(200);
    engine.finish('c/1');
  } finally {
    await server.stop();
    volume.remove();
  }
});
