import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CatalogVersion } from '../contract/catalog.ts';
import { KedgeError } from '../contract/errors.ts';
import type { Rollout } from '../contract/rollout.ts';
import { openStore } from '../registry/open-store.ts';
import { overriding } from '../registry/testing/overriding.ts';
import { BucketReader } from './bucket-reader.ts';
import { applyListing, emptyView, type VersionView, versionsOf } from './bucket-view.ts';
import { ModelContracts } from './model-contract.ts';
import { available, digest } from './testing/entries.ts';
import { linearModel, manifestFor } from './testing/models.ts';
import { createScratch } from './testing/scratch.ts';

const silent = pino({ level: 'silent' });
const scratch = createScratch();
const store = openStore(`file://${scratch.folder('bucket')}`);
let reads = 0;
/** Counts the gets. */
const counted = overriding(store, {
  get: (...args) => {
    reads += 1;
    return store.get(...args);
  },
});
const reader = new BucketReader(counted);
let versions: VersionView[];

beforeAll(async () => {
  const put = (key: string, content: Uint8Array | string) => store.put(key, Buffer.from(content), {});
  const [first, second] = [linearModel({ input: 'first' }), linearModel({ input: 'second' })];
  await put('m/1/claim.json', '{}');
  await put('m/2/model.onnx', 'no model');
  await put('m/3/model.onnx', first);
  await put('m/3/more.bin', 'more');
  await put('m/4/model.onnx', linearModel({ input: 'newer', opset: 99 }));
  await put('m/5/model.onnx', first);
  await put('m/5/manifest.json', manifestFor(first, 'm', 6));
  await put('m/6/model.onnx', first);
  await put('m/7/model.onnx', second);
  const code = { estimator: 'e', version: '1.0.0', features: digest(7) };
  await put('m/7/manifest.json', manifestFor(second, 'm', 7, { code }));
  // One that does not tear, so that everything rests.
  const view = emptyView(false);
  versions = versionsOf(
    applyListing(
      view,
      (await reader.listAll()).filter(({ key }) => key.startsWith('m/')),
    ),
    'm',
  );
});
afterAll(() => scratch.remove());

const find = async (rollout?: Partial<Rollout>, parts: { entries?: CatalogVersion[]; from?: number } = {}) => {
  const { entries = [], from = 1 } = parts;
  const sight = {
    model: 'm',
    versions: versions.filter(({ version }) => version >= from),
    entries,
    rollout: rollout && { schemaVersion: 1 as const, ...rollout },
  };
  const contract = await new ModelContracts(reader, silent).find(sight);
  if (!contract) return undefined;
  const { version, signature, features } = contract;
  return [version, signature.inputs[0]!.name, ...(features ? [features] : [])];
};

describe('the contract of a model', () => {
  it.each<[string, Partial<Rollout> | undefined, Awaited<ReturnType<typeof find>>]>([
    // 1 is incomplete, 2 no model, 3 several files, 4 for a newer runtime, 5 misplaced.
    ['the oldest that could serve', undefined, [6, 'first']],
    // 6 has no features, 7 says which ones.
    ['the oldest that is not retired', { retired: [6] }, [7, 'second', digest(7)]],
    ['the one that the rollout names', { contract: 7, pin: 6 }, [7, 'second', digest(7)]],
    ['the pinned one', { pin: 7 }, [7, 'second', digest(7)]],
    ['none where the one named cannot be read', { contract: 2 }, undefined],
    ['none where the one named is not there', { pin: 99 }, undefined],
    ['none of a retired model', { retired: true }, undefined],
  ])('%s', async (_what, rollout, expected) => expect(await find(rollout)).toEqual(expected));

  it.each<Partial<Rollout> | undefined>([{ contract: 6 }, undefined])(
    'is known of a version that is served, without asking the bucket: %j',
    async (rollout) => {
      const entries = [available(6, { features: digest(1) })];
      reads = 0;
      expect(await find(rollout, { entries, from: 6 })).toEqual([6, 'x', digest(1)]);
      expect(reads).toBe(0);
    },
  );

  it('is read once', async () => {
    const contracts = new ModelContracts(reader, silent);
    const sight = { model: 'm', versions, entries: [], rollout: undefined };
    await contracts.find(sight);
    reads = 0;
    expect((await contracts.find(sight))?.version).toBe(6);
    expect(reads).toBe(0);
  });

  it('passes over one that went since it was listed', async () => {
    const gone = versions.map((view) =>
      view.version === 6 ? { ...view, files: view.files.map((file) => ({ ...file, etag: 'old' })) } : view,
    );
    const contract = await new ModelContracts(reader, silent).find({
      model: 'm',
      versions: gone,
      entries: [],
      rollout: undefined,
    });
    expect(contract?.version).toBe(7);
  });

  describe('where a version cannot be read', () => {
    type Details = Record<string, string | number>;
    const failing = (details: Details, fails: (key: string) => boolean) => {
      const log: { code: string; version: number }[] = [];
      const lines = { write: (line: string) => void log.push(JSON.parse(line)) };
      const broken = overriding(store, {
        get: async (key, options) => {
          if (fails(key)) throw new KedgeError('bucket-unreachable', `${key} was not given.`, { details });
          return store.get(key, options);
        },
      });
      const contracts = new ModelContracts(new BucketReader(broken), pino({}, lines));
      const find = (rollout?: Rollout) => contracts.find({ model: 'm', versions, entries: [], rollout });
      return { find, log };
    };
    const oldest = (key: string) => key.startsWith('m/6/');

    it.each<Details>([{ status: 403 }, { reason: 'EACCES' }])(
      '%j: the next one is asked, and it is told once',
      async (details) => {
        const { find, log } = failing(details, oldest);
        expect((await find())?.version).toBe(7);
        expect((await find())?.version).toBe(7);
        expect(log).toMatchObject([{ code: 'bucket-unreachable', version: 6 }]);
      },
    );

    it.each<Details>([{ status: 503 }, { reason: 'ECONNREFUSED' }])(
      '%j: the bucket may answer later',
      async (details) => expect(failing(details, oldest).find()).rejects.toMatchObject({ code: 'bucket-unreachable' }),
    );

    it('is an error where none can be, or the one that is named cannot', async () => {
      await expect(failing({ status: 403 }, () => true).find()).rejects.toMatchObject({ code: 'bucket-unreachable' });
      const named: Rollout = { schemaVersion: 1, contract: 6 };
      await expect(failing({ status: 403 }, oldest).find(named)).rejects.toMatchObject({ code: 'bucket-unreachable' });
    });
  });
});
