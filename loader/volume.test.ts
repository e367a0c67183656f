import {
  chmodSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type Catalog, type CatalogAvailable, catalogSchema } from '../contract/catalog.ts';
import { digestOf } from '../contract/manifest.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { withEntry, withRollout } from './catalog-edit.ts';
import { CatalogKeeper } from './catalog-keeper.ts';
import { VolumeLock } from './lock.ts';
import { LoaderMetrics } from './metrics.ts';
import { recover } from './recover.ts';
import { available, manifest, unavailable } from './testing/entries.ts';
import { createScratch, writeTree } from './testing/scratch.ts';
import { findDamage } from './verify.ts';
import { BROKEN_CATALOG, readCatalog, type Step, Volume } from './volume.ts';

const scratch = createScratch();
let root: string;
let lock: VolumeLock;
let steps: Step[];
let volume: Volume;
let count = 0;
beforeEach(async () => {
  await lock?.release();
  root = scratch.folder(`volume-${++count}`);
  steps = [];
  lock = (await VolumeLock.tryAcquire(root, { staleMs: 2_000, onLost: () => undefined }))!;
  volume = new Volume(root, lock, (step) => void steps.push(step));
});
afterAll(async () => {
  await lock.release();
  scratch.remove();
});

const sha256 = (text: string): string => digestOf(text).slice('sha256:'.length);
const file = (path: string, text: string) => ({ path, bytes: text.length, sha256: sha256(text) });
const TEXT = 'the bytes';
/** An entry whose files are one model.onnx of {@link TEXT}. */
const entry = (version: number, parts: Partial<CatalogAvailable> = {}): CatalogAvailable =>
  available(version, { manifest: { ...manifest(version), files: [file('model.onnx', TEXT)] }, ...parts });
const catalog = (models: Catalog['models'], generation = 1): Catalog => ({
  schemaVersion: 1,
  generation,
  writtenAt: '2026-11-24T00:00:00.000Z',
  models,
});

async function place(version: number, files: Record<string, string> = { 'model.onnx': TEXT }): Promise<string> {
  const dir = await volume.stage();
  writeTree(dir, files);
  await volume.place(dir, 'm', version);
  return join(root, 'models/m', String(version));
}

const staged = (): string[] => (existsSync(join(root, '.staging')) ? readdirSync(join(root, '.staging')) : []);

describe('placing', () => {
  it('brings a version to its place whole and read-only', async () => {
    const dir = await place(1, { 'model.onnx': TEXT, 'weights/a.bin': 'w' });
    expect(readFileSync(join(dir, 'weights/a.bin'), 'utf8')).toBe('w');
    const mode = (path: string): number => statSync(join(dir, path)).mode & 0o777;
    expect([mode('.'), mode('weights'), mode('model.onnx'), mode('weights/a.bin')]).toEqual([
      0o555, 0o555, 0o444, 0o444,
    ]);
    expect(steps).toEqual(['sealed', 'in-place']);
    expect(staged()).toEqual([]);
    expect(await volume.versions()).toEqual([{ model: 'm', version: 1 }]);
  });

  it('takes the place of what was not vouched for', async () => {
    await place(1, { 'other.bin': 'x', 'deep/er/y': 'y' });
    const dir = await place(1);
    expect(readdirSync(dir)).toEqual(['model.onnx']);
    expect(staged()).toEqual([]);
  });

  it('removes a version and, after the last, its model', async () => {
    await place(1, { 'model.onnx': TEXT, 'weights/a.bin': 'w' });
    await place(2);
    steps.length = 0;
    await volume.remove('m', 1);
    expect(steps).toEqual(['set-aside', 'removed']);
    expect(await volume.versions()).toEqual([{ model: 'm', version: 2 }]);
    await volume.remove('m', 2);
    expect(readdirSync(join(root, 'models'))).toEqual([]);
    await volume.remove('m', 2);
  });
});

describe('the lock', () => {
  const tryIt = (staleMs = 2_000) => VolumeLock.tryAcquire(root, { staleMs, onLost: () => undefined });

  it('is held by one, and free after its release', async () => {
    expect(await tryIt()).toBeUndefined();
    await lock.release();
    const next = await tryIt();
    expect(next).toBeDefined();
    await next!.release();
    expect(readdirSync(root)).toEqual([]);
  });

  it('lost without noticing: nothing is written any more', async () => {
    // What another loader does that finds the lock stale.
    for (const name of readdirSync(root)) if (/^\.loader\.[0-9a-f-]{36}$/.test(name)) unlinkSync(join(root, name));
    await expect(volume.writeCatalog(catalog([]))).rejects.toMatchObject({ code: 'volume-locked', exit: 5 });
    await expect(volume.stage()).rejects.toMatchObject({ code: 'volume-locked' });
    expect(existsSync(join(root, 'catalog.json'))).toBe(false);
  });
});

describe('the catalog', () => {
  it('is read back as it was written, 64-bit samples and NaN with it', async () => {
    const sample = {
      inputs: { x: { datatype: 'INT64' as const, shape: [1], data: [9007199254740993n] } },
      outputs: { y: { datatype: 'FP32' as const, shape: [1], data: [Number.NaN] } },
      tolerance: { abs: 0, rel: 0 },
    };
    const written = catalog([{ name: 'm', versions: [entry(1, { manifest: { ...manifest(1), samples: [sample] } })] }]);
    await volume.writeCatalog(written);
    expect(await volume.readCatalog()).toEqual({ status: 'ok', catalog: written });
  });

  it.each([
    ['no JSON', '{"generation": 7'],
    ['another form', '{"schemaVersion": 1, "generation": 7, "models": []}'],
    ['another schema', JSON.stringify({ ...catalog([]), schemaVersion: 2 })],
  ])('broken: %s', async (_what, text) => {
    writeFileSync(join(root, 'catalog.json'), text);
    expect(await readCatalog(root)).toMatchObject({ status: 'broken', why: expect.stringMatching(/./) });
  });
});

describe('CatalogKeeper', () => {
  const keeperOf = (generation?: number): CatalogKeeper =>
    new CatalogKeeper({ volume, clock: systemClock, metrics: new LoaderMetrics(), models: [], generation });
  const onDisk = async (): Promise<Catalog> => {
    const read = await volume.readCatalog();
    if (read.status !== 'ok') throw new Error(read.status);
    return read.catalog;
  };

  it('writes what was edited, with a generation that grows', async () => {
    const keeper = keeperOf(7);
    keeper.edit((models) => withEntry(models, 'm', entry(1)));
    await keeper.flush();
    keeper.edit((models) => withEntry(models, 'm', entry(2)));
    keeper.edit((models) => withRollout(models, 'm', { schemaVersion: 1, pin: 1 }));
    await Promise.all([keeper.flush(), keeper.flush()]);
    const { generation, models } = await onDisk();
    expect(generation).toBe(9);
    expect(models[0]!.versions.map(({ version }) => version)).toEqual([2, 1]);
    expect(models[0]!.versions.map((each) => 'supersededAt' in each)).toEqual([true, false]);
  });

  it('begins a first one above all that came before', async () => {
    const keeper = keeperOf();
    const before = Date.now();
    keeper.touch();
    await keeper.flush();
    expect((await onDisk()).generation).toBeGreaterThanOrEqual(before);
  });

  it('does not write when nothing changed', async () => {
    const keeper = keeperOf(7);
    keeper.edit((models) => models);
    await keeper.flush();
    expect(steps).toEqual([]);
  });

  it('takes a version from the catalog before its files', async () => {
    await place(1);
    const keeper = keeperOf();
    keeper.edit((models) => withEntry(models, 'm', entry(1)));
    await keeper.flush();
    steps.length = 0;
    keeper.take('m', 1);
    expect(keeper.leaving).toEqual(['m/1']);
    await keeper.flush();
    expect(steps).toEqual(['catalog-replaced', 'set-aside', 'removed']);
    expect(keeper.leaving).toEqual([]);
    expect(existsSync(join(root, 'models/m'))).toBe(false);
  });

  it('writes later what it could not write', async () => {
    const keeper = keeperOf();
    keeper.edit((models) => withEntry(models, 'm', entry(1)));
    // A folder in the place of the file: the rename fails.
    writeTree(root, { 'catalog.json/x': '' });
    await expect(keeper.flush()).rejects.toMatchObject({ code: 'volume-failed' });
    expect(keeper.inStep).toBe(false);
    rmSync(join(root, 'catalog.json'), { recursive: true });
    await keeper.flush();
    expect(keeper.inStep).toBe(true);
    expect((await onDisk()).models).toHaveLength(1);
  });
});

describe('findDamage', () => {
  const files = [file('model.onnx', TEXT), file('weights/a.bin', 'w')];
  const tree = { 'model.onnx': TEXT, 'weights/a.bin': 'w', 'manifest.json': '{}' };
  const made = (name: string, changed: Record<string, string> = {}): string => {
    const dir = scratch.folder(`damage-${name}`);
    writeTree(dir, { ...tree, ...changed });
    return dir;
  };
  it('none', async () => expect(await findDamage(made('none'), files)).toBeUndefined());
  it.each<[string, RegExp, (dir: string) => void]>([
    ['a file more', /'more' is there/, (dir) => writeFileSync(join(dir, 'more'), '')],
    ['other bytes', /'model.onnx' has another sha256/, (dir) => writeFileSync(join(dir, 'model.onnx'), 'THE bytes')],
    [
      'fewer bytes',
      /'weights\/a.bin' has 0 bytes instead of 1/,
      (dir) => writeFileSync(join(dir, 'weights/a.bin'), ''),
    ],
    ['a second name', /'model.onnx' is no plain file/, (dir) => linkSync(join(dir, 'model.onnx'), `${dir}-link`)],
  ])('%s', async (name, why, change) => {
    const dir = made(name.replaceAll(' ', '-'));
    change(dir);
    expect(await findDamage(dir, files)).toMatch(why);
  });
  it('a link in the place of a file', async () => {
    const dir = scratch.folder('damage-link');
    writeTree(dir, { 'weights/a.bin': 'w' });
    symlinkSync('/etc/hostname', join(dir, 'model.onnx'));
    expect(await findDamage(dir, files)).toMatch(/no plain file/);
  });
  it('a file or all missing', async () => {
    expect(await findDamage(scratch.folder('damage-empty'), files)).toMatch(/'model.onnx' is missing/);
    expect(await findDamage(join(scratch.dir, 'nowhere'), files)).toMatch(/folder is missing/);
  });
});

describe('recover', () => {
  const run = () => recover(volume, { log: silentLog, clock: systemClock, onProgress: () => undefined });

  it('finds nothing on an empty volume', async () =>
    expect(await run()).toEqual({ models: [], generation: undefined, orphans: [] }));

  it('keeps what is whole, and tidies what was left half done', async () => {
    await place(1);
    const refused = unavailable(2, 'refused', ['opset']);
    const models = [{ name: 'm', rollout: { schemaVersion: 1 as const, pin: 1 }, versions: [refused, entry(1)] }];
    await volume.writeCatalog(catalog(models, 5));
    writeTree(root, { '.staging/x/model.onnx': 'half', '.01234567-89ab-cdef-0123-456789abcdef.tmp': 'half' });
    expect(await run()).toEqual({ models, generation: 5, orphans: [] });
    expect(staged()).toEqual([]);
    expect(readdirSync(root).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it.each<[string, (dir: string) => void]>([
    ['missing', (dir) => rmSync(dir, { recursive: true })],
    [
      'damaged',
      (dir) => {
        chmodSync(join(dir, 'model.onnx'), 0o644);
        writeFileSync(join(dir, 'model.onnx'), 'THE bytes');
      },
    ],
  ])('strikes out a version that is %s', async (_what, harm) => {
    harm(await place(2));
    await place(1);
    await volume.writeCatalog(catalog([{ name: 'm', versions: [entry(2), entry(1)] }], 5));
    const recovered = await run();
    expect(recovered).toMatchObject({ generation: 6, models: [{ versions: [{ version: 1 }] }] });
    const read = await volume.readCatalog();
    expect(read).toMatchObject({ status: 'ok', catalog: { generation: 6, models: [{ versions: [{ version: 1 }] }] } });
  });

  it('strikes out an entry that points elsewhere', async () => {
    await place(1);
    await volume.writeCatalog(catalog([{ name: 'm', versions: [entry(1, { path: '../../etc' })] }]));
    expect((await run()).models).toEqual([]);
  });

  it('tells versions that no catalog names, those apart that are retired', async () => {
    await place(1);
    await place(2);
    await place(3);
    const rollout = { schemaVersion: 1 as const, retired: [2] };
    await volume.writeCatalog(
      catalog([{ name: 'm', rollout, versions: [unavailable(3, 'refused', ['opset']), entry(1)] }]),
    );
    expect((await run()).orphans).toEqual([{ model: 'm', version: 3 }]);
  });

  it('keeps a catalog that it cannot read beside, and tells all versions', async () => {
    await place(1);
    writeFileSync(join(root, 'catalog.json'), 'not ours');
    expect(await run()).toEqual({ models: [], generation: undefined, orphans: [{ model: 'm', version: 1 }] });
    expect(readFileSync(join(root, BROKEN_CATALOG), 'utf8')).toBe('not ours');
  });
});

it('what tests write is a catalog', () =>
  expect(catalogSchema.safeParse(catalog([{ name: 'm', versions: [entry(1)] }])).success).toBe(true));
