import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { linearModel } from '../../contract/onnx/testing/models.ts';
import { sha256Of } from '../gate/tokens.ts';
import { get, post, startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

let volume: TestVolume;
let server: TestServer;

beforeEach(async () => {
  volume = new TestVolume();
  volume.add('good', 1, linearModel());
  volume.add('good', 2, linearModel({ bias: [9] }));
  volume.add('mended', 1, linearModel());
  volume.refuse('refused', 1, [{ code: 'onnx-truncated', message: 'It is cut.' }]);
  volume.add('gone', 1, linearModel());
  volume.rollout('gone', { retired: true });
  await volume.write();
  server = await startTestServer(volume);
  await server.settle();
});
afterEach(async () => {
  await server.stop();
  volume.remove();
});

const index = async (body?: string, base = server.url) =>
  (await get(`${base}/v2/repository/index`, { method: 'POST', ...(body !== undefined && { body }) })).body;
const control = (verb: 'load' | 'unload', model: string, body?: string) =>
  get(`${server.admin}/v2/repository/models/${model}/${verb}`, {
    method: 'POST',
    ...(body !== undefined && { body }),
  });
const x = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] };
const infer = (path: string) => post(`${server.url}/v2/models/${path}/infer`, x);

/** A version whose file is not what the catalog vouches for: the engine refuses it when it loads. */
async function spoiled(model: string, version: number): Promise<() => void> {
  const bytes = linearModel({ bias: [100] });
  const entry = volume.add(model, version, bytes);
  volume.spoil(entry);
  await volume.write();
  await server.settle();
  return () => {
    volume.spoil(entry);
  };
}

describe('item 29: the index of the repository', () => {
  const entries = [
    { name: 'good', version: '1', state: 'READY', reason: '' },
    { name: 'good', version: '2', state: 'READY', reason: '' },
    { name: 'mended', version: '1', state: 'READY', reason: '' },
    { name: 'refused', version: '1', state: 'UNAVAILABLE', reason: 'onnx-truncated: It is cut.' },
  ];

  it.each([undefined, '', '{}', '{"ready":false}', '{"ready":null}'])('with the body %j', async (body) => {
    expect(await index(body)).toEqual(entries);
    expect(await index(body, server.admin)).toEqual(entries);
  });

  it('of what is ready alone', async () =>
    expect(await index('{"ready":true}')).toEqual(entries.filter(({ state }) => state === 'READY')));

  it('shows a bad candidate with its reason beside the old version', async () => {
    await spoiled('good', 3);
    expect((await index()).filter(({ name }: { name: string }) => name === 'good')).toEqual([
      expect.objectContaining({ version: '1', state: 'READY' }),
      expect.objectContaining({ version: '2', state: 'READY' }),
      { name: 'good', version: '3', state: 'UNAVAILABLE', reason: expect.stringMatching(/^digest-mismatch: /) },
    ]);
  });

  it.each(['[]', 'x', '{"ready":1}'])('refuses %s', async (body) => {
    const { status } = await get(`${server.url}/v2/repository/index`, { method: 'POST', body });
    expect(status).toBe(400);
  });

  it('is no GET', async () => expect((await get(`${server.url}/v2/repository/index`)).status).toBe(405));
});

describe('item 30: load and unload', () => {
  it.each([undefined, '{}', '{"parameters":{"unload_dependents":false}}'])('with the body %j', async (body) => {
    expect((await control('unload', 'good', body)).status).toBe(200);
    for (const path of ['/v2/models/good', '/v2/models/good/ready', '/v2/models/good/config', '/v1/models/good']) {
      expect((await get(server.url + path)).status).toBe(404);
    }
    expect((await infer('good')).status).toBe(404);
    expect((await index()).filter(({ name }: { name: string }) => name === 'good')).toMatchObject([
      { version: '1', state: 'UNAVAILABLE', reason: 'unloaded' },
      { version: '2', state: 'UNAVAILABLE', reason: 'unloaded' },
    ]);
    expect((await infer('mended')).status).toBe(200);
    expect((await control('load', 'good', body)).status).toBe(200);
    expect((await infer('good')).body.outputs[0].data).toEqual([17]);
  });

  it('an unloaded model stays so when the catalog changes, and when it vanishes and comes back', async () => {
    await control('unload', 'good');
    volume.add('good', 3, linearModel({ bias: [50] }));
    await volume.write();
    await server.settle();
    expect((await infer('good')).status).toBe(404);
    volume.drop('good');
    await volume.write();
    await server.settle();
    volume.add('good', 3, linearModel({ bias: [50] }));
    await volume.write();
    await server.settle();
    expect((await infer('good')).status).toBe(404);
    expect((await control('load', 'good')).status).toBe(200);
    expect((await infer('good')).body.outputs[0].data).toEqual([58]);
  });

  it('load reads the catalog now', async () => {
    volume.add('new', 1, linearModel());
    await volume.write();
    expect((await control('load', 'new')).status).toBe(200);
    expect((await infer('new')).status).toBe(200);
  });

  it.each(['load', 'unload'] as const)('%s refuses parameters that are no object', async (verb) => {
    expect((await control(verb, 'good', '{"parameters":5}')).status).toBe(400);
    expect((await infer('good')).status).toBe(200);
  });

  it('of a loaded model changes nothing', async () => {
    const { digest } = server.manager.model('good')!.active!;
    expect((await control('load', 'good')).status).toBe(200);
    expect(server.manager.model('good')!.active!.digest).toBe(digest);
    expect((await control('unload', 'good')).status).toBe(200);
    expect((await control('unload', 'good')).status).toBe(200);
  });

  it('of a bad version tells the reason, and the old one answers on; mended, it loads', async () => {
    const mend = await spoiled('mended', 2);
    const bad = await control('load', 'mended');
    expect([bad.status, bad.body.error]).toEqual([
      503,
      expect.stringMatching(/version 2 is failed \(digest-mismatch.*Version 1 answers/),
    ]);
    expect((await infer('mended')).body.model_version).toBe('1');
    mend();
    expect((await control('load', 'mended')).status).toBe(200);
    expect((await infer('mended')).body).toMatchObject({ model_version: '2', outputs: [{ data: [108] }] });
  });

  it.each<[string, Parameters<TestVolume['rollout']>[1], number, RegExp?]>([
    ['not among those of the policy', { policy: { specific: [1] } }, 200],
    ['only named by a label', { policy: { specific: [1] }, labels: { canary: 4 } }, 200],
    ['newer than the pinned one', { pin: 2 }, 200],
    ['the newest of the policy', { policy: { specific: [1, 4] } }, 503, /version 4 is refused.*Version 1 answers/],
    ['the newest', { policy: { latest: 1 } }, 503, /version 4 is refused.*Version 2 answers/],
    ['the pinned one', { pin: 3 }, 503, /version 3 is refused.*Version 2 answers/],
  ])('beside a version that the loader refused, %s', async (_what, rollout, status, sentence) => {
    for (const version of [3, 4]) volume.refuse('good', version, [{ code: 'onnx-truncated', message: 'It is cut.' }]);
    volume.rollout('good', rollout);
    await volume.write();
    const answer = await control('load', 'good');
    expect([answer.status, answer.body.error]).toEqual([status, sentence && expect.stringMatching(sentence)]);
  });

  it('of a lazy model loads it, or tells why not', async () => {
    volume.add('lazy', 1, linearModel());
    volume.rollout('lazy', { lazy: true });
    await volume.write();
    await server.settle();
    expect(server.manager.model('lazy')!.active).toBeUndefined();
    expect((await control('load', 'lazy')).status).toBe(200);
    expect(server.manager.model('lazy')!.active!.version).toBe(1);
    const entry = volume.add('lazier', 1, linearModel());
    volume.rollout('lazier', { lazy: true });
    volume.spoil(entry);
    await volume.write();
    const bad = await control('load', 'lazier');
    expect([bad.status, bad.body.error]).toEqual([503, expect.stringMatching(/version 1 is failed \(digest-mismatch/)]);
  });

  it('of a model that the loader refused tells why', async () => {
    const { status, body } = await control('load', 'refused');
    expect([status, body.error]).toEqual([503, expect.stringMatching(/onnx-truncated: It is cut/)]);
  });

  it.each(['load', 'unload'] as const)('%s of what is not there: 404', async (verb) => {
    for (const name of ['nobody', 'gone', '..', '%2e%2e%2fetc', '__proto__', 'good%00']) {
      const { status } = await control(verb, name);
      expect([name, status]).toEqual([name, 404]);
    }
  });

  it('never writes the volume', async () => {
    const before = volume.readText();
    await control('unload', 'good');
    await control('load', 'good');
    expect(volume.readText()).toBe(before);
  });
});

describe('item 31: what a client brings along', () => {
  it.each([
    ['a config', { config: '{"name":"x"}' }],
    ['a file', { 'file:1/model.onnx': 'AAAA' }],
    ['a file elsewhere', { 'file:../../etc/x': 'AAAA' }],
  ])('%s is refused, and the model answers as before', async (_what, parameters) => {
    const { status, body } = await control('load', 'good', JSON.stringify({ parameters }));
    expect([status, body.error]).toEqual([400, expect.stringMatching(/cannot be given to load/)]);
    expect((await infer('good')).status).toBe(200);
  });
});

describe('item 32: who may control', () => {
  it.each(['load', 'unload'])('the prediction port has no %s', async (verb) => {
    for (const path of [`/v2/repository/models/good/${verb}`, `/v2/repository/models/good/${verb}/`]) {
      const { status, body } = await post(server.url + path, '');
      expect([status, typeof body.error]).toEqual([404, 'string']);
    }
    expect((await infer('good')).status).toBe(200);
  });

  it('a token with the scope admin does, others get 401 or 403 with a sentence, and nothing changes', async () => {
    const line = (token: string, scopes: string): string => `sha256:${sha256Of(token).toString('hex')} ${scopes}`;
    const tokens = [line('boss', 'admin'), line('app', 'predict'), line('one', 'predict:good')];
    const guarded = await startTestServer(volume, { KEDGE_TOKENS: tokens.join(';') });
    try {
      await guarded.settle();
      const path = '/v2/repository/models/good/unload';
      const ask = async (authorization: string | undefined, base = guarded.admin) => {
        const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
        const { status, headers: got, body } = await post(base + path, '{}', { headers });
        return { status, challenge: got.get('www-authenticate'), error: body.error };
      };
      const error = expect.stringMatching(/\w.*\./);
      for (const wrong of [
        undefined,
        '',
        'Bearer',
        'Bearer nobody',
        'Bearer bos',
        'Bearer bossy',
        'Basic Ym9zczo=',
        'boss',
      ])
        expect([wrong, await ask(wrong)]).toEqual([wrong, { status: 401, challenge: 'Bearer', error }]);
      for (const other of ['Bearer app', 'Bearer one'])
        expect([other, await ask(other)]).toEqual([other, { status: 403, challenge: null, error }]);
      // Not there at all, whoever asks.
      expect((await ask('Bearer boss', guarded.url)).status).toBe(404);
      expect(guarded.manager.model('good')?.active?.isReady).toBe(true);
      const metrics = await (await fetch(`${guarded.admin}/metrics`)).text();
      expect(metrics).toMatch(/^kedge_access_denied_total\{code="unauthenticated"\} 8$/m);
      expect(metrics).toMatch(/^kedge_access_denied_total\{code="forbidden"\} 2$/m);
      expect(await ask('Bearer boss')).toMatchObject({ status: 200 });
      expect(guarded.manager.model('good')?.active).toBeUndefined();
    } finally {
      await guarded.stop();
    }
  });

  it('without tokens, a page of another site may not', async () => {
    const { status, body } = await post(`${server.admin}/v2/repository/models/good/unload`, '', {
      headers: { origin: 'http://elsewhere.example' },
    });
    expect([status, body.code, typeof body.error]).toEqual([403, 'forbidden', 'string']);
    expect((await infer('good')).status).toBe(200);
  });
});
