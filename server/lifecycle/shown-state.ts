import type { ServedVersion } from './served-version.ts';

/** To a user, a version that is there and not loaded is available. */
export function shownState(state: ServedVersion['state']): string {
  return state === 'discovered' ? 'available' : state;
}
