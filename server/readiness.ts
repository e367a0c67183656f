import type { ModelTable } from './lifecycle/model-table.ts';

export interface ReadinessFacts {
  draining: boolean;
  /** Models that must answer; any one will do if there are none. */
  required: readonly string[];
  table: Pick<ModelTable, 'model' | 'models'>;
  /** Models of the first catalog that are still on their way; none once they came through, or their time is over. */
  firstLoads: readonly string[];
  /** Why the catalog cannot be used, if so. */
  problem: string | undefined;
}

/** Names that a sentence tells before it says how many more there are. */
const NAMED = 5;

/**
 * Why the server is not ready; undefined if it is. Once the models of the first catalog came through, only what answers counts, or is lazy
 * and will once it is asked: a candidate that loads, fails or is refused beside it does not.
 */
export function readinessOf({
  draining,
  required,
  table,
  firstLoads,
  problem,
}: ReadinessFacts): { code: 'model-not-ready' | 'shutting-down'; message: string } | undefined {
  if (draining) return { code: 'shutting-down', message: 'The server is draining; another one will answer.' };
  const notReady = (sentence: string): { code: 'model-not-ready'; message: string } => ({
    code: 'model-not-ready',
    message: problem === undefined ? sentence : `${sentence} ${problem}.`,
  });
  const missing = required.filter((name) => table.model(name)?.isAble !== true);
  if (missing.length > 0) return notReady(`Not answering yet: ${missing.join(', ')}.`);
  if (firstLoads.length > 0) return notReady(`Models of the first catalog are still loading: ${some(firstLoads)}.`);
  if (required.length > 0 || [...table.models()].some(({ isAble }) => isAble)) return undefined;
  return notReady('No model answers yet.');
}

function some(names: readonly string[]): string {
  const more = names.length - NAMED;
  return names.slice(0, NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
