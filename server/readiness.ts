import type { ModelTable } from './api/context.ts';

export interface ReadinessFacts {
  draining: boolean;
  /** Models that must answer; any one will do if there are none. */
  required: readonly string[];
  table: ModelTable;
  /** Why the catalog cannot be used, if so. */
  problem: string | undefined;
}

/**
 * Why the server is not ready; undefined if it is. Only what answers counts, or is lazy and will once it is asked: a candidate that
 * loads, fails or is refused beside it does not.
 */
export function readinessOf({
  draining,
  required,
  table,
  problem,
}: ReadinessFacts): { code: 'model-not-ready' | 'shutting-down'; message: string } | undefined {
  if (draining) return { code: 'shutting-down', message: 'The server is draining; another one will answer.' };
  const missing = required.filter((name) => table.model(name)?.isAble !== true);
  const because = problem === undefined ? '' : ` ${problem}.`;
  if (missing.length > 0)
    return { code: 'model-not-ready', message: `Not answering yet: ${missing.join(', ')}.${because}` };
  if (required.length > 0 || [...table.models()].some(({ isAble }) => isAble)) return undefined;
  return { code: 'model-not-ready', message: `No model answers yet.${because}` };
}
