import { isAvailable } from '../contract/catalog.ts';
import { KedgeError } from '../contract/errors.ts';
import { isRetired } from '../contract/rollout.ts';
import { modelsOf } from './bucket-view.ts';
import type { BucketWatch } from './bucket-watch.ts';
import { entriesOf, type Models, rolloutOf } from './catalog-edit.ts';

/** How many names an error tells. */
const NAMES = 10;

/**
 * Whether every model that the bucket has is on the volume with some version, those apart that are retired or have nothing but
 * incomplete versions.
 * @throws KedgeError `model-not-ready`, or `bucket-unreachable` where only fetching failed
 */
export function checkServed(models: Models, watch: Pick<BucketWatch, 'view' | 'versions'>): void {
  const unserved = modelsOf(watch.view).filter((model) => {
    const rollout = rolloutOf(models, model);
    const left = watch
      .versions(model)
      .filter(({ kind, version }) => kind !== 'incomplete' && !isRetired(rollout, version));
    return left.length > 0 && !entriesOf(models, model).some(isAvailable);
  });
  if (unserved.length === 0) return;
  const reasons = unserved.flatMap((model) =>
    entriesOf(models, model).flatMap((entry) => (isAvailable(entry) ? [] : entry.reasons)),
  );
  const unreachable = reasons.length > 0 && reasons.every(({ code }) => code === 'fetch-failed');
  const names = unserved.slice(0, NAMES).join(', ') + (unserved.length > NAMES ? ', …' : '');
  const why = reasons[0] ? ` ${reasons[0].message}` : '';
  const message = `No version could be brought to the volume of ${names}.${why}`;
  throw new KedgeError(unreachable ? 'bucket-unreachable' : 'model-not-ready', message);
}
