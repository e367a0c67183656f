import { expect, it } from 'vitest';
import { entriesOf, entryOf, type Models, rolloutOf, withEntry, withoutEntry, withRollout } from './catalog-edit.ts';
import { available, unavailable } from './testing/entries.ts';

const rollout = { schemaVersion: 1 as const, pin: 1 };

it('keeps models by name and versions newest first, one entry each', () => {
  let models: Models = [];
  for (const version of [2, 10, 1]) models = withEntry(models, 'b', available(version));
  models = withEntry(models, 'a', available(1));
  models = withEntry(models, 'b', unavailable(10, 'refused', ['opset']));
  expect(models.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(entriesOf(models, 'b').map(({ version, state }) => [version, state])).toEqual([
    [10, 'refused'],
    [2, 'available'],
    [1, 'available'],
  ]);
  expect(entryOf(models, 'b', 2)).toEqual(available(2));
  expect(entryOf(models, 'c', 2)).toBeUndefined();
});

it('leaves a model out that has nothing to say, and keeps one that has a rollout', () => {
  const models = withEntry(withRollout(withEntry([], 'a', available(1)), 'b', rollout), 'b', available(1));
  const emptied = withoutEntry(withoutEntry(models, 'a', 1), 'b', 1);
  expect(emptied).toEqual([{ name: 'b', versions: [], rollout }]);
  expect(rolloutOf(emptied, 'b')).toBe(rollout);
});

it('forgets with a new rollout what was judged against the contract of the model', () => {
  const entries = [
    unavailable(4, 'refused', ['signature-contract']),
    unavailable(3, 'refused', ['opset']),
    available(2),
  ];
  const models = withRollout([{ name: 'a', versions: entries }], 'a', rollout);
  expect(entriesOf(models, 'a').map(({ version }) => version)).toEqual([3, 2]);
});
