import { describe, expect, it } from 'vitest';
import type { Rollout } from '../contract/rollout.ts';
import { isoTime } from '../platform/clock.ts';
import type { VersionView } from './bucket-view.ts';
import { type ModelSight, plan } from './plan.ts';
import { groupOf as groupOfManifest } from './retention.ts';
import { available, digest, manifest, unavailable } from './testing/entries.ts';

const NOW = 1_000_000;
const OLD = isoTime(0);
const retention = { keep: 2, graceMs: 300_000, judgedBy: 'now' };
const view = (version: number, parts: Partial<VersionView> = {}): VersionView => ({
  version,
  kind: 'published',
  files: [],
  fingerprint: `f${version}`,
  rests: true,
  ...parts,
});
const bare = (version: number, parts: Partial<VersionView> = {}) => view(version, { kind: 'bare', ...parts });
const rollout = (parts: Partial<Rollout>): Rollout => ({ schemaVersion: 1, ...parts });
const sight = (parts: Partial<ModelSight>): ModelSight => ({
  name: 'm',
  versions: [],
  entries: [],
  rollout: undefined,
  busy: new Set(),
  lost: new Set(),
  groupOf: () => 'plain',
  listed: true,
  ...parts,
});
/** Actions as `fetch 3`, in order. */
const told = (...sights: Partial<ModelSight>[]) =>
  plan(sights.map(sight), retention, NOW).map(({ kind, model, version }) =>
    sights.length > 1 ? `${kind} ${model}/${version}` : `${kind} ${version}`,
  );

const five = [5, 4, 3, 2, 1].map((version) => view(version));
const byCode: Record<number, string> = { 6: 'new', 5: 'new', 4: 'new', 3: 'old', 2: 'old', 1: 'old' };

describe('fetch', () => {
  it.each<[string, Partial<ModelSight>, string[]]>([
    ['nothing of nothing', {}, []],
    ['the newest two of five', { versions: five }, ['fetch 5', 'fetch 4']],
    ['bare ones alike', { versions: [bare(2), bare(1)] }, ['fetch 2', 'fetch 1']],
    ['not what is here', { versions: five, entries: [available(5), available(4, { supersededAt: OLD })] }, []],
    ['a new one', { versions: [view(6), ...five], entries: [available(5), available(4)] }, ['fetch 6']],
    ['not one under way', { versions: five, busy: new Set([5, 4]) }, []],
    ['the next one beside one under way', { versions: five, busy: new Set([5]) }, ['fetch 4']],
    [
      'an older one in the place of a refused one',
      { versions: five, entries: [unavailable(5, 'refused', ['opset']), available(4)] },
      ['fetch 3'],
    ],
    [
      'an older one in the place of a failed one that waits',
      { versions: five, entries: [unavailable(5, 'failed', ['load-timeout'], { retryAt: isoTime(NOW + 1) })] },
      ['fetch 4', 'fetch 3'],
    ],
    [
      'one in the middle that was mended',
      {
        versions: five,
        entries: [available(5), unavailable(4, 'refused', ['opset'], { fingerprint: 'before' }), available(3)],
      },
      ['fetch 4'],
    ],
    ['not one that is still written', { versions: [bare(2, { rests: false }), bare(1)] }, ['fetch 1']],
    [
      'not one that is incomplete',
      { versions: [view(2, { kind: 'incomplete' }), view(1)] },
      ['incomplete 2', 'fetch 1'],
    ],
    ['not one that is retired', { versions: five, rollout: rollout({ retired: [5, 4, 2] }) }, ['fetch 3', 'fetch 1']],
    ['nothing of a retired model', { versions: five, rollout: rollout({ retired: true }) }, []],
  ])('%s', (_what, parts, expected) => expect(told(parts)).toEqual(expected));
});

describe('a version that is not served', () => {
  const one = { versions: [view(1)] };
  it.each<[string, Partial<ModelSight>, string[]]>([
    ['refused: never again', { ...one, entries: [unavailable(1, 'refused', ['opset'])] }, []],
    [
      'refused: its files changed',
      { versions: [view(1, { fingerprint: 'new' })], entries: [unavailable(1, 'refused', ['opset'])] },
      ['fetch 1'],
    ],
    [
      'failed: not yet',
      { ...one, entries: [unavailable(1, 'failed', ['load-timeout'], { retryAt: isoTime(NOW + 1) })] },
      [],
    ],
    [
      'failed: now',
      { ...one, entries: [unavailable(1, 'failed', ['load-timeout'], { retryAt: isoTime(NOW) })] },
      ['fetch 1'],
    ],
    [
      'refused by a loader with another runtime, release or limits',
      { ...one, entries: [unavailable(1, 'refused', ['memory-budget'], { judgedBy: 'before' })] },
      ['fetch 1'],
    ],
    [
      'refused by a loader that did not say what it judged by',
      { ...one, entries: [unavailable(1, 'refused', ['opset'], { judgedBy: undefined })] },
      ['fetch 1'],
    ],
    [
      'failed, to be tried later, by a loader with other limits',
      {
        ...one,
        entries: [unavailable(1, 'failed', ['load-timeout'], { judgedBy: 'before', retryAt: isoTime(NOW + 1) })],
      },
      ['fetch 1'],
    ],
    [
      'failed for good under other limits',
      { ...one, entries: [unavailable(1, 'failed', ['memory-limit'], { judgedBy: 'before' })] },
      ['fetch 1'],
    ],
    [
      'refused before, and busy now',
      { ...one, busy: new Set([1]), entries: [unavailable(1, 'refused', ['opset'], { judgedBy: 'before' })] },
      [],
    ],
    ['failed for good', { ...one, entries: [unavailable(1, 'failed', ['load-timeout'])] }, []],
    [
      'incomplete: noted already',
      { versions: [view(1, { kind: 'incomplete' })], entries: [unavailable(1, 'incomplete')] },
      [],
    ],
    [
      'incomplete: complete now',
      { versions: [view(1, { fingerprint: 'new' })], entries: [unavailable(1, 'incomplete')] },
      ['fetch 1'],
    ],
    [
      'incomplete: its claim was taken away',
      { versions: [bare(1)], entries: [unavailable(1, 'incomplete')] },
      ['fetch 1'],
    ],
    [
      'gone from the bucket',
      { versions: [view(2)], entries: [unavailable(1, 'refused', ['opset'])] },
      ['forget 1', 'fetch 2'],
    ],
    ['gone, but nothing was listed', { listed: false, entries: [unavailable(1, 'refused', ['opset'])] }, []],
    [
      'retired',
      { ...one, entries: [unavailable(1, 'refused', ['opset'])], rollout: rollout({ retired: [1] }) },
      ['forget 1'],
    ],
    [
      'refused as changed: the index agrees now',
      {
        versions: [view(1, { vouched: digest(1) })],
        entries: [unavailable(1, 'refused', ['manifest-changed'], { digest: digest(1) })],
      },
      ['fetch 1'],
    ],
    [
      'refused as changed: it still differs',
      {
        versions: [view(1, { vouched: digest(2) })],
        entries: [unavailable(1, 'refused', ['manifest-changed'], { digest: digest(1) })],
      },
      [],
    ],
    [
      'refused for something else: the index differs now',
      {
        versions: [view(1, { vouched: digest(2) })],
        entries: [unavailable(1, 'refused', ['opset'], { digest: digest(1) })],
      },
      ['fetch 1'],
    ],
  ])('%s', (_what, parts, expected) => expect(told(parts)).toEqual(expected));
});

describe('the pinned version', () => {
  const pinned = rollout({ pin: 1 });
  it.each<[string, Partial<ModelSight>, string[]]>([
    ['comes first, however old', { versions: five, rollout: pinned }, ['fetch 1', 'fetch 5', 'fetch 4']],
    [
      'though its code is not known',
      { versions: [view(2), view(1)], rollout: pinned, groupOf: () => undefined },
      ['peek 2', 'fetch 1'],
    ],
    [
      'is found behind many that nobody needs',
      {
        versions: Array.from({ length: 100 }, (_, i) => view(100 - i)),
        entries: [available(100), available(99)],
        rollout: pinned,
      },
      ['fetch 1'],
    ],
    ['is not fetched while it is under way', { versions: five, rollout: pinned, busy: new Set([5, 4, 1]) }, []],
    [
      'is not fetched again once refused',
      { versions: [view(1)], entries: [unavailable(1, 'refused', ['opset'])], rollout: pinned },
      [],
    ],
    ['is not fetched when retired', { versions: [view(1)], rollout: rollout({ pin: 1, retired: [1] }) }, []],
  ])('%s', (_what, parts, expected) => expect(told(parts)).toEqual(expected));
});

describe('what the rollout asks for', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => view(100 - i));
  it.each<[string, Partial<ModelSight>, string[]]>([
    [
      'the newest n, beyond those that are kept anyway',
      { versions: five, rollout: rollout({ policy: { latest: 3 } }) },
      ['fetch 5', 'fetch 4', 'fetch 3'],
    ],
    [
      'no fewer than are kept anyway',
      { versions: five, rollout: rollout({ policy: { latest: 1 } }) },
      ['fetch 5', 'fetch 4'],
    ],
    [
      'all, however old',
      {
        versions: hundred,
        entries: hundred.slice(2).map((each) => available(each.version)),
        rollout: rollout({ policy: { all: true } }),
      },
      ['fetch 100', 'fetch 99'],
    ],
    [
      'all, whatever code they need',
      { versions: five, rollout: rollout({ policy: { all: true } }), groupOf: ({ version }) => `code ${version}` },
      ['fetch 5', 'fetch 4', 'fetch 3', 'fetch 2', 'fetch 1'],
    ],
    [
      'versions by number first',
      { versions: five, rollout: rollout({ policy: { specific: [1, 3, 9] } }) },
      ['fetch 3', 'fetch 1', 'fetch 5', 'fetch 4'],
    ],
    [
      'versions with a label',
      {
        versions: hundred,
        entries: [available(100), available(99)],
        rollout: rollout({ labels: { stable: 2, old: 1 } }),
      },
      ['fetch 2', 'fetch 1'],
    ],
    [
      'nothing that is retired',
      { versions: five, rollout: rollout({ labels: { x: 1 }, retired: [1] }) },
      ['fetch 5', 'fetch 4'],
    ],
  ])('%s', (_what, parts, expected) => expect(told(parts)).toEqual(expected));
});

describe('versions that need code', () => {
  const groupOf = ({ version }: VersionView) => groupOfManifest(manifest(version, byCode[version]));
  const six = [view(6), ...five];
  it.each<[string, Partial<ModelSight>, string[]]>([
    ['two of each', { versions: six, groupOf }, ['fetch 6', 'fetch 5', 'fetch 3', 'fetch 2']],
    [
      'their manifests are read first',
      { versions: six, groupOf: () => undefined },
      [6, 5, 4, 3, 2, 1].map((v) => `peek ${v}`),
    ],
    [
      'older ones wait for the code of newer ones',
      { versions: six, groupOf: (each) => (each.version === 5 ? undefined : groupOf(each)) },
      ['peek 5', 'fetch 6'],
    ],
    [
      'also while that is being found out',
      { versions: six, groupOf: (each) => (each.version === 5 ? undefined : groupOf(each)), busy: new Set([5]) },
      ['fetch 6'],
    ],
    [
      'what is here counts in its own group',
      { versions: six, groupOf, entries: [available(6, { features: 'new' }), available(3, { features: 'old' })] },
      ['fetch 5', 'fetch 2'],
    ],
    [
      'what needs less than newer ones, beside them',
      {
        versions: five,
        groupOf: ({ version }) => groupOfManifest(manifest(version, undefined, version > 2 ? { server: '>=99' } : {})),
        entries: [available(5, { requires: { server: '>=99' } }), available(4, { requires: { server: '>=99' } })],
      },
      ['fetch 2', 'fetch 1'],
    ],
    [
      'no more than four codes',
      { versions: six, groupOf: ({ version }) => `code ${version}` },
      ['fetch 6', 'fetch 5', 'fetch 4', 'fetch 3'],
    ],
    [
      'the search ends',
      {
        versions: Array.from({ length: 40 }, (_, i) => view(40 - i)),
        entries: [available(40), available(39)],
        groupOf: ({ version }) => (version < 10 ? 'other' : 'plain'),
      },
      [],
    ],
    [
      'a few manifests at a time',
      { versions: Array.from({ length: 40 }, (_, i) => view(40 - i)), groupOf: () => undefined },
      [40, 39, 38, 37, 36, 35, 34, 33].map((v) => `peek ${v}`),
    ],
  ])('%s', (_what, parts, expected) => expect(told(parts)).toEqual(expected));
});

describe('a version that was vouched for', () => {
  it.each<[string, Partial<ModelSight>, string[]]>([
    ['unchanged', { versions: [view(1)], entries: [available(1)] }, []],
    ['changed', { versions: [view(1, { fingerprint: 'new' })], entries: [available(1)] }, ['recheck 1']],
    ['still changing', { versions: [view(1, { fingerprint: 'new', rests: false })], entries: [available(1)] }, []],
    [
      'its manifest gone',
      { versions: [view(1, { kind: 'incomplete', fingerprint: 'new' })], entries: [available(1)] },
      [],
    ],
    ['under way', { versions: [view(1, { fingerprint: 'new' })], entries: [available(1)], busy: new Set([1]) }, []],
    [
      'the index names another digest',
      { versions: [view(1, { vouched: digest(2) })], entries: [available(1)] },
      ['recheck 1'],
    ],
    [
      'the index names another digest, as is known',
      {
        versions: [view(1, { vouched: digest(2) })],
        entries: [available(1, { warnings: [{ code: 'manifest-changed', message: 'It did.' }] })],
      },
      [],
    ],
    ['lost from the volume', { versions: [view(1)], entries: [available(1)], lost: new Set([1]) }, ['fetch 1']],
    [
      'lost from the volume, and another in the bucket',
      { versions: [view(1, { fingerprint: 'new' })], entries: [available(1)], lost: new Set([1]) },
      [],
    ],
    ['lost from volume and bucket', { entries: [available(1)], lost: new Set([1]) }, []],
    ['gone from the bucket', { entries: [available(1)] }, []],
    [
      'gone, like its model',
      { versions: [], entries: [available(2), available(1, { supersededAt: OLD })], listed: true },
      [],
    ],
    ['retired', { versions: [view(1)], entries: [available(1)], rollout: rollout({ retired: [1] }) }, ['drop 1']],
    [
      'surplus',
      { entries: [available(3), available(2, { supersededAt: OLD }), available(1, { supersededAt: OLD })] },
      ['drop 1'],
    ],
  ])('%s', (_what, parts, expected) => expect(told(parts)).toEqual(expected));
});

it('serves every model with one version before any with a second, and retries last', () =>
  expect(
    told(
      { name: 'a', versions: [view(2), view(1)] },
      {
        name: 'b',
        versions: [view(9)],
        entries: [unavailable(9, 'failed', ['load-timeout'], { retryAt: isoTime(0) })],
      },
      { name: 'c', versions: [view(2), view(1)] },
      { name: 'd', versions: [view(1)], rollout: rollout({ pin: 1 }) },
      { name: 'e', entries: [available(1)], rollout: rollout({ retired: true }) },
    ),
  ).toEqual(['drop e/1', 'fetch d/1', 'fetch a/2', 'fetch c/2', 'fetch a/1', 'fetch c/1', 'fetch b/9']));
