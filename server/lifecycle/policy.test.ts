import { describe, expect, it } from 'vitest';
import type { Rollout } from '../../contract/rollout.ts';
import {
  type Action,
  type ModelView,
  nextActions,
  nextRetry,
  type PolicyOptions,
  type VersionView,
  wakeable,
} from './policy.ts';
import { STATES, type VersionState } from './states.ts';

const NOW = 1_000;
const OPTIONS: PolicyOptions = { now: NOW, keepReady: 2, loadRetries: 3 };

/**
 * Versions as words: `3:ready`; `3b:ready` is another content of version 3; `3-:ready` is not in the catalog any more;
 * `3:failed@1500x2` failed twice and may be tried again at 1500. A `*` marks the active one. After the state, `!` is unfit, `?` means that a
 * request waits for it, and `~` that it was given up for its memory.
 */
function view(words: string, rollout: Omit<Rollout, 'schemaVersion'> = {}): ModelView {
  const versions = words.split(' ').filter(Boolean).map(readVersion);
  const active = versions.find(({ marked }) => marked)?.view.id;
  return { rollout: { schemaVersion: 1, ...rollout }, active, versions: versions.map((one) => one.view) };
}

function readVersion(word: string): { view: VersionView; marked: boolean } {
  const parts = /^(\*?)(\d+)([a-z]?)(-?):([a-z]+)(?:@(\d+))?(?:x(\d+))?([!?~]?)$/.exec(word);
  if (!parts) throw new Error(`cannot read '${word}'`);
  const [, star, number, content, gone, state, retryAt, failures, sign] = parts;
  return {
    marked: star === '*',
    view: {
      id: `${number}${content}`,
      version: Number(number),
      state: state as VersionState,
      vouched: gone === '',
      failures: Number(failures ?? 0),
      retryAt: retryAt === undefined ? undefined : Number(retryAt),
      unfit: sign === '!',
      demanded: sign === '?',
      givenUp: sign === '~',
    },
  };
}

const tell = (actions: Action[]): string => actions.map((action) => `${action.do} ${action.id}`).join(', ');

function actionsOf(
  words: string,
  rollout?: Omit<Rollout, 'schemaVersion'>,
  options: Partial<PolicyOptions> = {},
): string {
  return tell(nextActions(view(words, rollout), { ...OPTIONS, ...options }));
}

describe('without a rollout', () => {
  it.each<[string, string, string]>([
    ['nothing is known', '', ''],
    ['the first version loads', '1:discovered', 'load 1'],
    ['the newest two load, the newest first', '1:discovered 2:discovered 3:discovered', 'load 3, load 2'],
    ['it becomes active once ready', '1:ready', 'activate 1'],
    ['an older one answers while the newest loads', '2:ready 3:loading', 'activate 2'],
    ['a candidate changes nothing while it loads', '*1:ready 2:loading', ''],
    ['a candidate changes nothing while it warms up', '*1:ready 2:warming', ''],
    ['a candidate that is refused changes nothing', '*1:ready 2:refused', ''],
    ['a candidate that failed changes nothing', '*1:ready 2:failed@1500x1', ''],
    ['a ready candidate takes over', '*1:ready 2:ready', 'activate 2'],
    ['the one before stays ready', '1:ready *2:ready', ''],
    ['what is beyond the kept ones drains', '1:ready 2:ready *3:ready', 'drain 1'],
    ['nothing drains before all that is wanted was tried', '1:ready *2:ready 3:loading', ''],
    ['nor while it waits for its load', '1:ready *2:ready 3:discovered', 'load 3'],
    ['swap and drain in one step', '1:ready *2:ready 3:ready', 'activate 3, drain 1'],
    ['a bad candidate takes nobody away', '1:ready *2:ready 3:refused', ''],
    ['a failing candidate takes nobody away', '1:ready *2:ready 3:failed@1500x1', ''],
    ['a released version that is wanted again loads', '1:released *2:ready', 'load 1'],
    ['a draining version that is wanted again resumes', '1:draining *2:ready', 'resume 1'],
    ['a draining version is still able', '1:draining', 'resume 1, activate 1'],
    ['a draining version that is not wanted goes on draining', '1:draining 2:ready *3:ready', ''],
    ['nothing becomes active by failing', '1:failed@1500x1 2:refused', ''],
  ])('%s', (_what, words, want) => expect(actionsOf(words)).toBe(want));
});

describe('absence is no news', () => {
  it.each<[string, string, string]>([
    ['all that was served vanished', '1-:ready *2-:ready', ''],
    ['a vanished one is not loaded again', '1-:released *2:ready', 'forget 1'],
    [
      'what never loaded is forgotten',
      '1-:discovered 3-:refused *2:ready 4-:failed@1500x1',
      'forget 1, forget 3, forget 4',
    ],
    ['a vanished one makes room for newer ones', '1-:ready 2:ready *3:ready', 'drain 1'],
    ['and then is forgotten', '1-:released 2:ready *3:ready', 'forget 1'],
    ['a vanished one that loads is let be', '*1:ready 2-:loading', ''],
  ])('%s', (_what, words, want) => expect(actionsOf(words)).toBe(want));
});

describe('pinned', () => {
  it.each<[string, string, number, string]>([
    ['a roll back to a ready version', '1:ready *2:ready', 1, 'activate 1'],
    ['a roll back to one that must load first', '1:discovered 2:ready *3:ready', 1, 'load 1'],
    ['which takes over once ready', '1:ready 2:ready *3:ready', 1, 'activate 1, drain 2'],
    ['the pinned one loads before all others', '1:discovered 2:discovered 3:discovered', 1, 'load 1, load 3'],
    ['nothing else becomes active meanwhile', '1:loading 3:ready', 1, ''],
    ['unless the pinned one fails', '1:failed@1500x1 3:ready', 1, 'activate 3'],
    ['or is refused', '1:refused 3:ready', 1, 'activate 3'],
    ['or is not there', '3:ready', 1, 'activate 3'],
    ['a pin to what cannot answer leaves the one that does', '*2:ready 3:ready', 1, ''],
    ['a newer version stays beside a pinned one', '*1:ready 2:ready 3:ready', 1, 'drain 2'],
  ])('%s', (_what, words, pin, want) => expect(actionsOf(words, { pin })).toBe(want));
});

describe('retired', () => {
  it.each<[string, string, true | number[], string]>([
    ['the model', '1:ready *2:ready', true, 'activate undefined, drain 1, drain 2'],
    ['a version that is not active', '1:ready *2:ready', [1], 'drain 1'],
    ['the active version, another one ready', '1:ready *2:ready', [2], 'activate 1, drain 2'],
    ['the active version, another one to be loaded first', '1:discovered *2:ready', [2], 'load 1'],
    ['which may take its time', '1:warming *2:ready', [2], ''],
    ['the active version, another one that failed', '1:failed@1500x1 *2:ready', [2], 'activate undefined, drain 2'],
    ['the only version', '*2:ready', [2], 'activate undefined, drain 2'],
    ['what would be loaded', '1:discovered 2:discovered', [2], 'load 1'],
    ['one that loads', '*1:ready 2:loading', [2], ''],
    ['one that has just loaded', '*1:ready 2:ready', [2], 'drain 2'],
    ['one that drains', '1:draining', true, ''],
    ['what the catalog dropped', '1-:released 2-:refused', true, 'forget 1, forget 2'],
  ])('%s', (_what, words, retired, want) => expect(actionsOf(words, { retired })).toBe(want));
});

describe('two contents of one version number', () => {
  it.each<[string, string, string]>([
    ['the new one loads beside the old one', '*1a-:ready 1b:discovered', 'load 1b'],
    ['the old one answers meanwhile', '*1a-:ready 1b:warming', ''],
    ['the new one takes over', '*1a-:ready 1b:ready', 'activate 1b, drain 1a'],
    ['a bad new one leaves the old one', '*1a-:ready 1b:refused', ''],
    ['each number counts once', '1:ready *2a-:ready 2b:discovered', 'load 2b'],
  ])('%s', (_what, words, want) => expect(actionsOf(words)).toBe(want));
});

describe('what the rollout asks for', () => {
  type Given = Omit<Rollout, 'schemaVersion'>;
  const three = '1:discovered 2:discovered 3:discovered';
  it.each<[string, string, Given, string]>([
    ['the newest n', three, { policy: { latest: 3 } }, 'load 3, load 2, load 1'],
    ['fewer than the server holds', '*2:ready 1:ready', { policy: { latest: 1 } }, 'drain 1'],
    ['all', three, { policy: { all: true } }, 'load 3, load 2, load 1'],
    ['just these', three, { policy: { specific: [1, 2] } }, 'load 2, load 1'],
    [
      'which answer though a newer one does now',
      '2:ready *3:ready',
      { policy: { specific: [2] } },
      'activate 2, drain 3',
    ],
    ['before the newer one goes', '2:loading *3:ready', { policy: { specific: [2] } }, ''],
    ['a newer one that fails to be replaced stays', '2:refused *3:ready', { policy: { specific: [2] } }, ''],
    ['the policy does not follow a new version', '*2:ready 3:discovered', { policy: { specific: [2] } }, ''],
    ['a pinned one beside the newest n', three, { policy: { latest: 1 }, pin: 1 }, 'load 1, load 3'],
    ['what has a label', three, { labels: { stable: 1 } }, 'load 3, load 2, load 1'],
    ['what lost its label drains', '1:ready 2:ready *3:ready', { labels: {} }, 'drain 1'],
  ])('%s', (_what, words, given, want) => expect(actionsOf(words, given)).toBe(want));

  it.each<[string, Given, string]>([
    ['1:discovered 2:discovered 3:discovered', {}, '3 2spare'],
    ['1:discovered 2:discovered 3:discovered', { pin: 1 }, '1 3spare'],
    ['1:discovered 2:discovered 3:discovered', { policy: { latest: 2 } }, '3 2'],
    ['1:discovered 2:discovered 3:discovered', { labels: { stable: 1 } }, '3 2spare 1'],
    ['1:discovered 2:discovered 3:failed@1500x1', {}, '2 1spare'],
  ])('what is spare of %s under %j: %s', (words, given, want) => {
    const loads = nextActions(view(words, given), OPTIONS).filter((action) => action.do === 'load');
    expect(loads.map(({ id, spare }) => `${id}${spare ? 'spare' : ''}`).join(' ')).toBe(want);
  });
});

describe('lazy', () => {
  it.each<[string, string, string]>([
    ['nothing loads that nobody asks for', '1:discovered 2:discovered', ''],
    ['what is asked for loads, and nothing else', '1:discovered 2:discovered?', 'load 2'],
    ['an older one by its number', '1:discovered? 2:discovered', 'load 1'],
    ['it answers once it is ready', '1:discovered 2:ready', 'activate 2'],
    ['in use, it rolls forward like any other', '*1:ready 2:discovered', 'load 2'],
    ['and swaps', '*1:ready 2:ready', 'activate 2'],
    ['the older one goes once it is not wanted', '1:ready 2:ready *3:ready', 'drain 1'],
    ['what was given up does not come back by itself', '1:released 2:released', ''],
    ['what drains for its memory is not taken back', '1:draining~', ''],
    ['given up, it answers no more', '*1:released', 'activate undefined'],
    ['a load goes on though nobody waits any more', '1:loading', ''],
    ['what failed waits for its time', '1:failed@1500x1?', ''],
    ['what failed is tried again when asked for', '1:failed@1000x1?', 'load 1'],
    ['what failed is not tried again by itself', '1:failed@1000x1', ''],
  ])('%s', (_what, words, want) => expect(actionsOf(words, { lazy: true })).toBe(want));

  it.each<[string, Omit<Rollout, 'schemaVersion'>, string | undefined, string]>([
    ['1:discovered 2:discovered', { lazy: true }, '2', '1 2'],
    ['1:discovered 2:discovered 3:discovered', { lazy: true }, '3', '2 3'],
    ['1:discovered 2:discovered', { lazy: true, pin: 1 }, '1', '1 2'],
    ['1:discovered 2:failed@1500x1', { lazy: true }, '1', '1'],
    ['1:discovered 2:failed@1000x1', { lazy: true }, '2', '1 2'],
    ['1:failed@1500x1', { lazy: true }, undefined, ''],
    ['2:loading?', { lazy: true }, '2', '2'],
    ['2:discovered?', { lazy: true }, '2', '2'],
    ['1:discovered *2:ready', { lazy: true }, undefined, '1'],
    ['1-:released', { lazy: true }, undefined, ''],
    ['1:discovered', { lazy: true, retired: true }, undefined, ''],
    ['1:discovered', {}, undefined, ''],
  ])('requests wake of %s under %j: %s, or one of %s', (words, given, target, ids) => {
    const wakes = wakeable(view(words, given), OPTIONS);
    expect([wakes.target, [...wakes.ids].sort().join(' ')]).toEqual([target, ids]);
  });
});

describe('a version that keeps ending its process', () => {
  it.each<[string, string, string]>([
    ['makes way for one that is ready', '1:ready *2:ready!', 'activate 1, fail 2'],
    ['stays where there is no other', '*2:ready!', ''],
    ['stays until another has loaded', '1:discovered *2:ready!', 'load 1'],
    ['stays until another has loaded, beyond those that are held', '1:discovered 2:ready! *3:ready!', 'load 1'],
    ['stays where the other does the same', '1:ready! *2:ready!', ''],
    ['fails also if it is not the one that answers', '1:ready! *2:ready', 'fail 1'],
    ['stays given up while another answers', '*1:ready 2:failed@900x9', ''],
    ['gives way to a newer one', '*2:ready! 3:ready', 'activate 3, fail 2'],
    ['never makes way for one that loads', '1:warming *2:ready!', ''],
  ])('%s', (_what, words, want) => expect(actionsOf(words)).toBe(want));

  it('makes way though it is pinned', () =>
    expect(actionsOf('1:ready *2:ready!', { pin: 2 })).toBe('activate 1, fail 2'));
});

describe('failed loads', () => {
  it.each<[string, string, string]>([
    ['wait for their time', '1:failed@1500x1', ''],
    ['are tried again', '1:failed@1000x1', 'load 1'],
    ['are tried again beside one that answers', '*1:ready 2:failed@1000x3', 'load 2'],
    ['are given up beside one that answers', '*1:ready 2:failed@1000x4', ''],
    ['are never given up where nothing answers', '1:failed@1000x400', 'load 1'],
    ["take nobody's place", '1:discovered 2:discovered 3:failed@1500x1', 'load 2, load 1'],
  ])('%s', (_what, words, want) => expect(actionsOf(words)).toBe(want));

  it.each<[string, string, number | undefined]>([
    ['nothing failed', '*1:ready', undefined],
    ['the earliest counts', '1:failed@1700x1 2:failed@1500x1', 1500],
    ['what is due needs no timer', '1:failed@900x1', undefined],
    ['what was given up needs no timer', '*1:ready 2:failed@1500x4', undefined],
    ['what vanished needs no timer', '1-:failed@1500x1', undefined],
  ])('next time: %s', (_what, words, want) => expect(nextRetry(view(words), OPTIONS)).toBe(want));
});

it.each([
  [1, '1:discovered 2:discovered 3:discovered', 'load 3'],
  [1, '1:ready *2:ready', 'drain 1'],
  [3, '1:discovered 2:discovered 3:discovered', 'load 3, load 2, load 1'],
])('keeps %i ready', (keepReady, words, want) => expect(actionsOf(words, {}, { keepReady })).toBe(want));

describe('whatever the state', () => {
  const words = STATES.flatMap((one) => STATES.flatMap((two) => ['', '-'].map((gone) => `1${gone}:${one} 2:${two}`)));
  const marked = words.flatMap((word) => [
    word,
    word.replace('1:ready', '*1:ready'),
    word.replace('2:ready', '*2:ready'),
  ]);
  const rollouts: Omit<Rollout, 'schemaVersion'>[] = [
    {},
    { pin: 1 },
    { pin: 2 },
    { pin: 9 },
    { retired: [1] },
    { retired: [2], pin: 1 },
  ];
  const all = [...new Set(marked)].flatMap((word) => rollouts.map((rollout) => [word, rollout] as const));

  it('the active one never drains, and only what is ready becomes active', () => {
    for (const [word, rollout] of all) {
      const before = view(word, rollout);
      const actions = nextActions(before, OPTIONS);
      const activated = actions.find((action) => action.do === 'activate');
      const active = activated ? activated.id : before.active;
      const at = (id: string | undefined) => before.versions.find((one) => one.id === id);
      for (const action of actions) if (action.do === 'drain') expect(action.id, word).not.toBe(active);
      if (activated?.id !== undefined) {
        const resumed = actions.some((action) => action.do === 'resume' && action.id === activated.id);
        expect(at(activated.id)!.state === 'ready' || resumed, word).toBe(true);
      }
      // A model that answers goes dark by retirement alone.
      if (before.active !== undefined && active === undefined) {
        expect(rollout.retired, word).toContain(at(before.active)!.version);
      }
    }
  });
});
