import type { CatalogModel, CatalogVersion } from '../contract/catalog.ts';
import type { Rollout } from '../contract/rollout.ts';

/** Changes of the catalog as pure functions: each gives a new list, in which a model without anything to say is left out. */
export type Models = readonly CatalogModel[];

export function entriesOf(models: Models, model: string): readonly CatalogVersion[] {
  return models.find(({ name }) => name === model)?.versions ?? [];
}

export function entryOf(models: Models, model: string, version: number): CatalogVersion | undefined {
  return entriesOf(models, model).find((entry) => entry.version === version);
}

export function rolloutOf(models: Models, model: string): Rollout | undefined {
  return models.find(({ name }) => name === model)?.rollout;
}

export function withEntry(models: Models, model: string, entry: CatalogVersion): Models {
  return edit(models, model, (before) => ({
    ...before,
    versions: [...before.versions.filter(({ version }) => version !== entry.version), entry],
  }));
}

export function withoutEntry(models: Models, model: string, version: number): Models {
  return edit(models, model, (before) => ({
    ...before,
    versions: before.versions.filter((entry) => entry.version !== version),
  }));
}

/**
 * Takes a new rollout. Versions that were refused against the contract of the model are forgotten, because the rollout says
 * what the contract is: they are judged again.
 */
export function withRollout(models: Models, model: string, rollout: Rollout): Models {
  return edit(models, model, (before) => ({
    ...before,
    rollout,
    versions: before.versions.filter(
      (entry) => entry.state === 'available' || !entry.reasons.some(({ code }) => code === 'signature-contract'),
    ),
  }));
}

function edit(models: Models, name: string, change: (before: CatalogModel) => CatalogModel): Models {
  const after = change(models.find((model) => model.name === name) ?? { name, versions: [] });
  const others = models.filter((model) => model.name !== name);
  if (after.versions.length === 0 && after.rollout === undefined) return others;
  const sorted = { ...after, versions: [...after.versions].sort((a, b) => b.version - a.version) };
  return [...others, sorted].sort((a, b) => (a.name < b.name ? -1 : 1));
}
