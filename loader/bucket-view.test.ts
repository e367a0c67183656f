import { describe, expect, it } from 'vitest';
import type { BucketIndex } from '../contract/bucket-index.ts';
import type { ObjectInfo } from '../registry/object-store.ts';
import {
  applyIndex,
  applyListing,
  applyVersionListing,
  type BucketView,
  emptyView,
  hasUnrested,
  modelsOf,
  rolloutMark,
  unlistedVersions,
  versionsOf,
} from './bucket-view.ts';
import { digest } from './testing/entries.ts';

const object = (key: string, etag = 'e', bytes = 10, modifiedAt = 1): ObjectInfo => ({ key, etag, bytes, modifiedAt });
const objects = (...keys: string[]): ObjectInfo[] => keys.map((key) => object(key));
const index = (generation: number, versions: Record<string, number[]>, rollout?: string): BucketIndex => ({
  schemaVersion: 1,
  generation,
  models: Object.entries(versions).map(([name, numbers]) => ({
    name,
    versions: numbers.map((version) => ({ version, digest: digest(version) })),
    ...(rollout && { rollout }),
  })),
});
const s3 = emptyView(false);
const folder = emptyView(true);
const kinds = (view: BucketView, model = 'm') => versionsOf(view, model).map(({ version, kind }) => [version, kind]);

describe('what a folder is', () => {
  it.each([
    ['bare', ['m/8/model.onnx']],
    ['bare', ['m/8/model.onnx', 'm/8/weights/a.bin']],
    ['incomplete', ['m/8/claim.json']],
    ['incomplete', ['m/8/claim.json', 'm/8/model.onnx']],
    ['published', ['m/8/claim.json', 'm/8/model.onnx', 'm/8/manifest.json']],
    ['published', ['m/8/model.onnx', 'm/8/manifest.json']],
  ])('%s: %j', (kind, keys) => expect(kinds(applyListing(s3, objects(...keys)))).toEqual([[8, kind]]));

  it.each(['index.json', 'm/rollout.json', 'm/notes.txt', 'm/latest/model.onnx', 'm/08/model.onnx', 'M/8/model.onnx'])(
    'none: %s',
    (key) => expect(kinds(applyListing(s3, objects(key)))).toEqual([]),
  );

  it('lists newest first by number, and keeps the claim out of the files', () => {
    const view = applyListing(s3, objects('m/10/model.onnx', 'm/9/claim.json', 'm/9/manifest.json', 'm/2/model.onnx'));
    expect(versionsOf(view, 'm').map(({ version }) => version)).toEqual([10, 9, 2]);
    expect(versionsOf(view, 'm')[1]!.files.map(({ path }) => path)).toEqual(['manifest.json']);
  });
});

describe('the fingerprint', () => {
  const print = (...all: ObjectInfo[]) => versionsOf(applyListing(s3, all), 'm')[0]!.fingerprint;
  const base = [object('m/1/model.onnx'), object('m/1/w.bin')];
  it('is the same in any order, for another time, and with a claim', () => {
    expect(print(...base.toReversed())).toBe(print(...base));
    expect(print(object('m/1/model.onnx', 'e', 10, 2), base[1]!)).toBe(print(...base));
    expect(print(...base, object('m/1/manifest.json'))).toBe(
      print(...base, object('m/1/claim.json'), object('m/1/manifest.json')),
    );
  });
  it.each([
    [[object('m/1/model.onnx', 'other'), base[1]!]],
    [[object('m/1/model.onnx', 'e', 11), base[1]!]],
    [[base[0]!]],
    [[...base, object('m/1/more.bin')]],
    [[object('m/1/model.onnx'), object('m/1/v.bin')]],
  ])('changes with the files (%#)', (all) => expect(print(...all)).not.toBe(print(...base)));
});

describe('rest, where a drop may be half-written', () => {
  const drop = [object('m/1/model.onnx')];
  const rests = (view: BucketView) => versionsOf(view, 'm').map((version) => version.rests);
  const once = applyListing(folder, drop);
  const published = [object('m/1/manifest.json'), object('m/1/model.onnx')];
  it.each<[string, BucketView, boolean]>([
    ['seen once', once, false],
    ['seen twice', applyListing(once, drop), true],
    ['grown since', applyListing(once, [object('m/1/model.onnx', 'e', 11)]), false],
    ['touched since', applyListing(once, [object('m/1/model.onnx', 'e', 10, 2)]), false],
    ['grown, then the same', applyListing(applyListing(once, [object('m/1/model.onnx', 'x')]), drop), false],
    ['gone in between', applyListing(applyListing(once, []), drop), false],
    ['a file more', applyListing(once, [...drop, object('m/1/w.bin')]), false],
    ['published, unknown to the index', applyListing(folder, published), false],
    ['published, and in the index', applyListing(applyIndex(folder, index(1, { m: [1] })), published), true],
    ['bare, and in the index', applyListing(applyIndex(folder, index(1, { m: [1] })), drop), false],
    ['an object store never tears', applyListing(s3, drop), true],
  ])('%s', (_what, view, expected) => {
    expect(rests(view)).toEqual([expected]);
    expect(hasUnrested(view)).toBe(!expected);
  });
});

describe('absence is no news', () => {
  const full = applyIndex(
    applyListing(s3, objects('m/1/model.onnx', 'm/rollout.json')),
    index(5, { m: [2] }, digest(9)),
  );

  it('an index of a smaller generation changes nothing', () => expect(applyIndex(full, index(4, {}))).toBe(full));

  it('an empty index takes no digest and no rollout away', () => {
    const view = applyIndex(full, index(6, {}));
    expect(view.generation).toBe(6);
    expect(view.index.get('m')).toEqual(new Map([[2, digest(2)]]));
    expect(rolloutMark(view, 'm')).toBe(rolloutMark(full, 'm'));
  });

  it('an empty listing takes no rollout away, and leaves nothing to fetch', () => {
    const view = applyListing(full, []);
    expect(kinds(view)).toEqual([]);
    expect(modelsOf(view)).toEqual(['m']);
    expect(rolloutMark(view, 'm')).toBe(rolloutMark(full, 'm'));
  });

  it('an empty folder changes nothing', () => expect(applyVersionListing(full, 'm', 1, [])).toBe(full));
});

describe('what the index tells first', () => {
  const view = applyIndex(applyListing(s3, objects('m/1/manifest.json', 'm/3/claim.json')), index(2, { m: [1, 2, 3] }));

  it('is listed by folder', () =>
    expect(unlistedVersions(view)).toEqual([
      { model: 'm', version: 2 },
      { model: 'm', version: 3 },
    ]));

  it('and then there, with its digest; keys of others beside it do not count', () => {
    const after = applyVersionListing(view, 'm', 2, objects('m/2/manifest.json', 'm/2/model.onnx', 'm/22/model.onnx'));
    expect(kinds(after)).toEqual([
      [3, 'incomplete'],
      [2, 'published'],
      [1, 'published'],
    ]);
    expect(versionsOf(after, 'm')[1]!.vouched).toBe(digest(2));
  });

  it('a rollout is read again when its digest or its etag changed', () => {
    const marks = [
      view,
      applyIndex(view, index(3, { m: [] }, digest(1))),
      applyListing(view, [object('m/rollout.json', 'a')]),
      applyListing(view, [object('m/rollout.json', 'b')]),
    ].map((each) => rolloutMark(each, 'm'));
    expect(marks[0]).toBeUndefined();
    expect(new Set(marks).size).toBe(4);
  });
});
