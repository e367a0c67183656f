import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Catalog } from '../contract/catalog.ts';
import { stringifyJson } from '../contract/json.ts';
import { linearModel } from '../contract/onnx/testing/models.ts';
import { type CatalogSource, watchCatalog } from './catalog-source.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { TestVolume } from './testing/volume.ts';

const POLL_MS = 2_000;

let volume: TestVolume;
let clock: ManualClock;
let source: CatalogSource;
let got: Catalog[];
let logged: { level: number; msg: string }[];

function watch(dir = volume.dir): void {
  const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  source = watchCatalog({ volume: dir, pollMs: POLL_MS, clock, log, onCatalog: (catalog) => got.push(catalog) });
}

beforeEach(() => {
  volume = new TestVolume();
  volume.add('m', 1, linearModel());
  clock = new ManualClock();
  got = [];
  logged = [];
});
afterEach(async () => {
  await source.close();
  volume.remove();
});

const generations = (): number[] => got.map(({ generation }) => generation);

describe('what changes is seen', () => {
  it('at the start, and whole each time', async () => {
    await volume.write();
    watch();
    await source.look();
    expect(got).toHaveLength(1);
    expect(got[0]!.models).toMatchObject([{ name: 'm', versions: [{ version: 1, state: 'available' }] }]);
    expect(source.problem).toBeUndefined();
  });

  it('by an event, while no time passes', async () => {
    await volume.write();
    watch();
    await source.look();
    await vi.waitFor(async () => {
      await volume.write();
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(got.length).toBeGreaterThan(1);
    }, 10_000);
    expect(generations()).toEqual([...generations()].sort((a, b) => a - b));
  });

  it('once, however often it is looked at', async () => {
    await volume.write();
    watch();
    for (let look = 0; look < 5; look += 1) await source.look();
    expect(got).toHaveLength(1);
  });

  it('where the folder comes later', async () => {
    const dir = join(volume.dir, 'later');
    watch(dir);
    await source.look();
    expect(source.problem).toMatch(/cannot be read.*ENOENT/);
    mkdirSync(dir);
    writeFileSync(join(dir, 'catalog.json'), stringifyJson(volume.next()));
    await source.look();
    expect([got.length, source.problem]).toEqual([1, undefined]);
  });
});

describe('what is no news', () => {
  it.each<[string, () => Promise<void> | void, RegExp]>([
    ['no catalog', () => volume.removeCatalog(), /cannot be read/],
    ['half a catalog', () => volume.writeText(volume.readText().slice(0, 200)), /is not a catalog/],
    ['an empty file', () => volume.writeText(''), /is not a catalog/],
    ['JSON of another form', () => volume.writeText('{"models":[]}'), /is not a catalog/],
    [
      'a schema of the future',
      () => volume.writeText(stringifyJson({ ...volume.next(), schemaVersion: 2 })),
      /is not a catalog/,
    ],
    ['a path of the prototype', () => volume.writeText('{"__proto__":{}}'), /is not a catalog/],
    [
      'a folder in its place',
      () => {
        volume.removeCatalog();
        mkdirSync(join(volume.dir, 'catalog.json'));
      },
      /cannot be read/,
    ],
  ])('%s', async (_what, spoil, problem) => {
    await volume.write();
    watch();
    await source.look();
    await spoil();
    for (let look = 0; look < 3; look += 1) await source.look();
    expect(source.problem).toMatch(problem);
    expect(got).toHaveLength(1);
    expect(logged.filter(({ level }) => level >= 40)).toHaveLength(1);

    rmSync(join(volume.dir, 'catalog.json'), { recursive: true, force: true });
    await volume.write();
    await source.look();
    expect([got.length, source.problem]).toEqual([2, undefined]);
    expect(logged.at(-1)!.msg).toMatch(/can be read again/);
  });

  it('a stale read, unless it stays', async () => {
    const [old, fresh] = [volume.next(), volume.next()];
    await volume.writeText(stringifyJson(fresh));
    watch();
    await source.look();
    await volume.writeText(stringifyJson(old));
    await source.look();
    await clock.advance(60_000);
    await source.look();
    expect(generations()).toEqual([2]);
    await clock.advance(60_000);
    await source.look();
    expect(generations()).toEqual([2, 1]);
  });
});

it('ends its looks when it is closed', async () => {
  watch();
  await source.look();
  await source.close();
  await volume.write();
  await clock.advance(POLL_MS);
  await source.look();
  expect([got.length, clock.waits]).toEqual([0, []]);
});
