import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../contract/admission/manifest.ts';
import { KedgeError } from '../contract/errors.ts';
import { digestOf } from '../contract/manifest.ts';
import { linearModel } from '../contract/onnx/testing/models.ts';
import { systemClock } from '../platform/clock.ts';
import { gc } from './gc.ts';
import { readIndex } from './index-file.ts';
import { inspect } from './inspect.ts';
import type { ObjectStore } from './object-store.ts';
import { type Published, type PublishOptions, publish } from './publish.ts';
import { retire } from './rollouts.ts';
import { bytesOf, listKeys, readObject } from './testing/object-store-suite.ts';
import { overriding } from './testing/overriding.ts';
import { describeStores, externalFiles, type TestStores } from './testing/stores.ts';

const write = { clock: systemClock, random: Math.random };

describeStores('publish', ({ open, files }: TestStores) => {
  const model = (weight = 2): Promise<string> => files({ 'model.onnx': linearModel({ weights: [[weight], [3]] }) });
  const publishTo = async (
    store: ObjectStore,
    source: string,
    options: Partial<PublishOptions> = {},
  ): Promise<Published> => publish({ store, source, model: 'demand', ...options });

  it('stores claim, file, manifest and index, and nothing else', async () => {
    const { store } = await open();
    const steps: string[] = [];
    const published = await publishTo(store, await model(), {
      details: { training: { rows: 7 } },
      publisher: 'me',
      onStep: (step) => void steps.push(step),
    });
    expect(steps).toEqual(['check', 'claim', 'file model.onnx', 'manifest', 'index', 'done']);
    expect(await listKeys(store, '')).toEqual([
      'demand/1/claim.json',
      'demand/1/manifest.json',
      'demand/1/model.onnx',
      'index.json',
    ]);
    const stored = await readObject(store, 'demand/1/manifest.json');
    const parsed = parseManifest(stored.bytes.toString());
    expect(parsed).toMatchObject({
      ok: true,
      manifest: { model: 'demand', version: 1, training: { rows: 7 }, files: published.files },
    });
    const claim = JSON.parse((await readObject(store, 'demand/1/claim.json')).bytes.toString());
    expect(claim).toEqual({ schemaVersion: 1, publisher: 'me', createdAt: parsed.ok && parsed.manifest.createdAt });
    const bytes = linearModel({ weights: [[2], [3]] });
    expect(published).toMatchObject({
      version: 1,
      digest: digestOf(stored.bytes),
      resumed: false,
      bytes: bytes.length,
      files: [{ path: 'model.onnx', bytes: bytes.length, sha256: digestOf(bytes).slice(7) }],
      notes: [],
    });
    expect((await readIndex(store))?.models).toEqual([
      { name: 'demand', versions: [{ version: 1, digest: published.digest }] },
    ]);
    expect((await inspect(store, 'demand', 1, { verify: true })).refusals).toEqual([]);
  });

  it('takes the next number each time, and the index grows', async () => {
    const { store } = await open();
    const generations: number[] = [];
    for (const [i, weight] of [1, 2, 3].entries()) {
      expect((await publishTo(store, await model(weight))).version).toBe(i + 1);
      generations.push((await readIndex(store))!.generation);
    }
    expect(generations).toEqual(generations.toSorted((a, b) => a - b));
    expect(new Set(generations).size).toBe(3);
    await publishTo(store, join(await model(), 'model.onnx'), { model: 'other' });
    expect((await readIndex(store))!.models.map(({ name, versions }) => [name, versions.length])).toEqual([
      ['demand', 3],
      ['other', 1],
    ]);
  });

  it('stores the external data that the graph names, and tells what it left out', async () => {
    const { store } = await open();
    const folder = await files({ ...externalFiles(), 'README.md': 'about', 'logs/run.txt': 'x' });
    const { files: stored, notes } = await publishTo(store, folder);
    expect(stored.map(({ path }) => path)).toEqual(['model.onnx', 'weights.bin']);
    expect(notes).toEqual([expect.stringContaining('README.md, logs/run.txt')]);
    expect((await inspect(store, 'demand', 1, { verify: true })).refusals).toEqual([]);
    // The same for the file alone, whose data lies beside it.
    const alone = await publishTo(store, join(folder, 'model.onnx'), { model: 'alone' });
    expect(alone.files).toEqual(stored);
    expect(alone.notes).toEqual([]);
  });

  it('gives ten publishers at once ten numbers', async () => {
    const { store } = await open();
    const sources = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(model));
    const published = await Promise.all(sources.map((source) => publishTo(store, source)));
    const numbers = published.map(({ version }) => version).sort((a, b) => a - b);
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const entry = (await readIndex(store))!.models[0]!;
    expect(new Map(entry.versions.map(({ version, digest }) => [version, digest]))).toEqual(
      new Map(published.map(({ version, digest }) => [version, digest])),
    );
  }, 60_000);

  describe('goes above every number that was ever taken:', () => {
    it.each<[string, (store: ObjectStore) => Promise<unknown>]>([
      ['a bare drop', (store) => store.put('demand/7/model.onnx', linearModel(), {})],
      ['a drop without a model', (store) => store.put('demand/7/readme.txt', bytesOf('x'), {})],
      ['a claim', (store) => store.put('demand/7/claim.json', bytesOf('damaged'), {})],
      [
        'a retired version whose files are gone',
        async (store) => store.put('demand/rollout.json', bytesOf('{"schemaVersion":1,"retired":[7]}'), {}),
      ],
      [
        'a version in the index whose files are gone',
        async (store) => {
          const digest = digestOf('x');
          const models = [{ name: 'demand', versions: [{ version: 7, digest }] }];
          await store.put('index.json', bytesOf(JSON.stringify({ schemaVersion: 1, generation: 1, models })), {});
        },
      ],
      [
        'a version that gc removed',
        async (store) => {
          await store.put('demand/7/claim.json', bytesOf('{}'), {});
          await gc(store, { ...write, graceMs: 0 });
          expect(await listKeys(store, 'demand/')).toEqual([]);
        },
      ],
    ])('%s', async (_name, prepare) => {
      const { store } = await open();
      await prepare(store);
      expect((await publishTo(store, await model())).version).toBe(8);
    });
  });

  describe('with a name for the publisher', () => {
    it('finishes what an earlier run began, to the same bytes', async () => {
      const { store } = await open();
      const source = await files(externalFiles());
      const stop = new Error('stop');
      const interrupted = publishTo(store, source, {
        publisher: 'ci',
        onStep: (step) => {
          if (step === 'file weights.bin') throw stop;
        },
      });
      await expect(interrupted).rejects.toBe(stop);
      const published = await publishTo(store, source, { publisher: 'ci' });
      expect(published).toMatchObject({ version: 1, resumed: true });
      const again = await publishTo(store, source, { publisher: 'ci' });
      expect(again).toEqual(published);
      expect((await inspect(store, 'demand', 1, { verify: true })).refusals).toEqual([]);
    });

    it('takes a new number for other bytes, other details or a retired version', async () => {
      const { store } = await open();
      const ci = { publisher: 'ci' };
      await publishTo(store, await model(1), ci);
      expect((await publishTo(store, await model(2), ci)).version).toBe(2);
      expect((await publishTo(store, await model(2), { ...ci, details: { training: { rows: 1 } } })).version).toBe(3);
      await retire(store, 'demand', [3], write);
      const again = await publishTo(store, await model(2), { ...ci, details: { training: { rows: 1 } } });
      expect(again).toMatchObject({ version: 4, resumed: false });
    });

    it('does not go on with other bytes under a number that it claimed', async () => {
      const { store } = await open();
      const stopAt = (name: string) => (step: string) => {
        if (step === name) throw new Error(name);
      };
      const first = { publisher: 'ci', onStep: stopAt('manifest') };
      await expect(publishTo(store, await model(1), first)).rejects.toThrow('manifest');
      const published = await publishTo(store, await model(2), { publisher: 'ci' });
      expect(published).toMatchObject({ version: 2, resumed: false });
      expect((await readIndex(store))!.models[0]!.versions.map(({ version }) => version)).toEqual([2]);
    });

    it('two at once, of the same name and bytes, make one version', async () => {
      const { store } = await open();
      const source = await files(externalFiles());
      const begun = publishTo(store, source, {
        publisher: 'ci',
        onStep: (step) => {
          if (step === 'file model.onnx') throw new Error('stop');
        },
      });
      await expect(begun).rejects.toThrow('stop');
      const both = await Promise.all([1, 2, 3].map(() => publishTo(store, source, { publisher: 'ci' })));
      expect(new Set(both.map(({ version, digest }) => `${version} ${digest}`)).size).toBe(1);
      expect((await inspect(store, 'demand', 1, { verify: true })).refusals).toEqual([]);
    });
  });

  describe('beside others', () => {
    it('leaves its number to files that somebody copies in by hand', async () => {
      const { store } = await open();
      let dropped = false;
      const published = await publishTo(store, await model(), {
        onStep: async (step) => {
          if (step !== 'file model.onnx' || dropped) return;
          dropped = true;
          await store.put('demand/1/model.onnx', linearModel({ weights: [[9], [9]] }), {});
        },
      });
      expect(published.version).toBe(2);
      expect(await listKeys(store, 'demand/1/')).toEqual(['demand/1/model.onnx']);
      expect((await inspect(store, 'demand', 1)).kind).toBe('bare');
    });

    it.each<[string, (file: string) => Promise<void>]>([
      ['grows', (file) => appendFile(file, 'x')],
      ['changes and keeps its size', (file) => writeFile(file, linearModel({ weights: [[9], [9]] }))],
    ])('fails when its file %s meanwhile, and leaves the version incomplete', async (_name, change) => {
      const { store } = await open();
      const source = await model();
      const attempt = publishTo(store, source, {
        onStep: (step) => (step === 'file model.onnx' ? change(join(source, 'model.onnx')) : undefined),
      });
      await expect(attempt).rejects.toMatchObject({
        code: 'object-changed',
        message: expect.stringMatching(/--publisher/),
      });
      expect((await inspect(store, 'demand', 1)).kind).toBe('incomplete');
      expect(await readIndex(store)).toBeUndefined();
    });

    it.each(['file weights.bin', 'manifest'])('fails when gc takes its number away before "%s"', async (at) => {
      const { store } = await open();
      const attempt = publishTo(store, await files(externalFiles()), {
        onStep: async (step) => {
          if (step === at) await gc(store, { ...write, graceMs: 0 });
        },
      });
      await expect(attempt).rejects.toMatchObject({ code: 'conflict', message: expect.stringMatching(/was removed/) });
      expect(await listKeys(store, 'demand/')).toEqual([]);
      expect((await publishTo(store, await model())).version).toBe(2);
    });

    it('stores no manifest when gc took its number away before', async () => {
      const { store } = await open();
      const puts: string[] = [];
      const watched = overriding(store, {
        put: (key, ...args) => {
          puts.push(key);
          return store.put(key, ...args);
        },
      });
      const attempt = publishTo(watched, await files(externalFiles()), {
        onStep: async (step) => {
          if (step === 'file weights.bin') await gc(store, { ...write, graceMs: 0 });
        },
      });
      await expect(attempt).rejects.toMatchObject({ code: 'conflict' });
      expect(puts).toEqual(['demand/1/claim.json', 'demand/1/model.onnx', 'demand/1/weights.bin']);
    });

    it('mends the index for a publisher that was killed before it, and one that is damaged or lost', async () => {
      const { store } = await open();
      await publishTo(store, await model(1), { model: 'other' });
      const killed = publishTo(store, await model(1), {
        onStep: (step) => {
          if (step === 'index') throw new Error('killed');
        },
      });
      await expect(killed).rejects.toThrow('killed');
      const indexed = async (): Promise<Record<string, number[]>> =>
        Object.fromEntries((await readIndex(store))!.models.map((m) => [m.name, m.versions.map((v) => v.version)]));
      expect(await indexed()).toEqual({ other: [1] });
      await publishTo(store, await model(2));
      expect(await indexed()).toEqual({ demand: [1, 2], other: [1] });
      const before = (await readIndex(store))!;
      await store.put('index.json', bytesOf('{"gener'), {});
      await publishTo(store, await model(3));
      await store.delete('index.json');
      await publishTo(store, await model(4));
      expect(await indexed()).toEqual({ demand: [1, 2, 3, 4], other: [1] });
      expect((await readIndex(store))!.generation).toBeGreaterThan(before.generation);
    });

    it('does not write over the index of a newer Kedge', async () => {
      const { store } = await open();
      await store.put('index.json', bytesOf('{"schemaVersion":2,"later":true}'), {});
      await expect(publishTo(store, await model())).rejects.toMatchObject({ code: 'document-invalid' });
      expect((await readObject(store, 'index.json')).bytes.toString()).toBe('{"schemaVersion":2,"later":true}');
    });
  });

  it('tells of its progress, and stops for a signal', async () => {
    const { store } = await open();
    const seen: string[] = [];
    const source = await model();
    const { bytes } = await publishTo(store, source, {
      onProgress: ({ phase, bytes: done, totalBytes }) => void seen.push(`${phase} ${done}/${totalBytes}`),
    });
    expect(seen).toEqual(expect.arrayContaining([`hash ${bytes}/${bytes}`, `upload ${bytes}/${bytes}`]));
    const controller = new AbortController();
    const reason = new KedgeError('shutting-down', 'enough');
    const attempt = publishTo(store, source, {
      signal: controller.signal,
      onStep: (step) => {
        if (step === 'manifest') controller.abort(reason);
      },
    });
    await expect(attempt).rejects.toThrow(/enough/);
    expect((await inspect(store, 'demand', 2)).kind).toBe('incomplete');
  });
});
