import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearModel, nodesModel } from '../../contract/onnx/testing/models.ts';
import { get, startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

/** y = x less the mean of all rows. */
const centred = nodesModel({
  inputs: [{ name: 'x', type: 'float', dims: ['N', 2] }],
  outputs: [{ name: 'y', type: 'float', dims: ['N', 2] }],
  nodes: [
    { type: 'ReduceMean', inputs: ['x'], outputs: ['mean'], attributes: { axes: { ints: [0] } } },
    { type: 'Sub', inputs: ['x', 'mean'], outputs: ['y'] },
  ],
});
const declared = (rows: 'independent' | 'dependent') => ({
  details: { batching: { rows } },
  probe: { rowOutputs: ['y'] },
});

let volume: TestVolume;
let server: TestServer;
beforeAll(async () => {
  volume = new TestVolume();
  volume.add('proved', 1, linearModel());
  volume.add('dependent', 1, linearModel(), declared('dependent'));
  volume.add('unproved', 1, centred);
  volume.add('wrongly-declared', 1, centred, declared('independent'));
  volume.add('declared', 1, linearModel(), {
    ...declared('independent'),
    rows: { independent: false, because: 'No.' },
  });
  volume.add('old', 1, linearModel());
  volume.add('old', 2, linearModel());
  await volume.write();
  server = await startTestServer(volume, {
    ...{ KEDGE_KEEP_READY: '1', KEDGE_BATCH_ROWS: '8', KEDGE_BATCH_WAIT_MS: '1' },
  });
  await server.settle();
});
afterAll(async () => {
  await server.stop();
  volume.remove();
});

const versionsOf = async (model: string) => (await get(`${server.url}/v2/models/${model}/versions`)).body.versions;

describe('/versions tells whether rows of several requests are merged, and why', () => {
  it.each<[string, object]>([
    [
      'proved',
      { merged: true, basis: 'proved', reason: expect.any(String), trial: expect.stringMatching(/came out equal/) },
    ],
    [
      'declared',
      { merged: true, basis: 'declared', reason: expect.stringMatching(/publisher/), trial: expect.any(String) },
    ],
    ['dependent', { merged: false, basis: 'declared', reason: expect.stringMatching(/publisher/) }],
    ['unproved', { merged: false, basis: 'unproved', reason: expect.stringMatching(/ReduceMean/) }],
    ['wrongly-declared', { merged: false, basis: 'forbidden', reason: expect.stringMatching(/In the trial/) }],
  ])('%s', async (model, merging) => expect((await versionsOf(model))[0].merging).toEqual(merging));

  it('of one that is not loaded, what is known before', async () => {
    const [, old] = await versionsOf('old');
    expect(old).toMatchObject({ version: '1', state: 'available', merging: { merged: true, basis: 'proved' } });
    expect([old.merging.trial, old.memoryBytes, old.loadMs]).toEqual([undefined, undefined, undefined]);
  });
});

describe('/config tells of the same merging, within the limits that are set', () => {
  it.each<[string, number]>([
    ['proved', 8],
    ['declared', 8],
    ['dependent', 0],
    ['unproved', 0],
    ['wrongly-declared', 0],
  ])('%s: %i rows', async (model, rows) => {
    const { body } = await get(`${server.url}/v2/models/${model}/config`);
    expect([body.max_batch_size, body.input[0].dims]).toEqual([rows, rows > 0 ? [2] : [-1, 2]]);
    expect(body.dynamic_batching).toEqual(
      rows > 0 ? { preferred_batch_size: [], max_queue_delay_microseconds: 1_000 } : undefined,
    );
  });
});

it('/versions tells where a version runs, what it takes, and through which states it came when', async () => {
  const [version] = await versionsOf('proved');
  expect(version).toMatchObject({
    version: '1',
    state: 'ready',
    digest: expect.stringMatching(/^sha256:/),
    reasons: [],
    placement: { engine: 'inline', reason: expect.stringMatching(/proved harmless/) },
    memoryBytes: expect.any(Number),
    loadMs: expect.any(Number),
  });
  expect(version.history.map(({ state }: { state: string }) => state)).toEqual([
    'available',
    'loading',
    'warming',
    'ready',
  ]);
  const times = version.history.map(({ since }: { since: string }) => Date.parse(since));
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(version.since).toBe(version.history.at(-1).since);
});
