import { isAvailable } from '../contract/catalog.ts';
import { modelsOf } from './bucket-view.ts';
import type { BucketWatch } from './bucket-watch.ts';
import type { CatalogKeeper } from './catalog-keeper.ts';
import type { Action, ModelSight } from './plan.ts';
import type { Work } from './work.ts';

const NOTHING: ReadonlySet<number> = new Set();

/** All that is known of each model, for the plan. Those whose rollout could never be read are left out: what should serve is not known. */
export function sightsOf(
  { watch, keeper, work }: { watch: BucketWatch; keeper: CatalogKeeper; work: Work },
  now: number,
): ModelSight[] {
  const known = new Map(keeper.models.map((model) => [model.name, model]));
  const busy = work.busy(now);
  return [...new Set([...modelsOf(watch.view), ...known.keys()])]
    .filter((name) => known.get(name)?.rollout !== undefined || !watch.isRolloutUnread(name))
    .map((name) => ({
      name,
      versions: watch.versions(name),
      entries: known.get(name)?.versions ?? [],
      rollout: known.get(name)?.rollout,
      busy: busy.get(name) ?? NOTHING,
      lost: work.lost(name),
      groupOf: (view) => work.groupOf(name, view),
      listed: watch.view.whole,
    }));
}

/** Something may still come of a model that has nothing to serve. */
export function isAwaited({ name, entries, busy }: ModelSight, actions: readonly Action[]): boolean {
  if (entries.some(isAvailable)) return false;
  const begun = actions.some(({ model, kind }) => model === name && (kind === 'fetch' || kind === 'peek'));
  const unfetched = entries.some(
    (entry) => !isAvailable(entry) && entry.reasons.some(({ code }) => code === 'fetch-failed'),
  );
  return begun || busy.size > 0 || unfetched;
}
