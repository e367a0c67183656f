/** The states of a version in a server. {@link ServedVersion} says what each means and what leads from one to the next. */
export const STATES = [
  'discovered',
  'loading',
  'warming',
  'ready',
  'draining',
  'released',
  'refused',
  'failed',
] as const;

export type VersionState = (typeof STATES)[number];

/** Every change that is allowed. */
export const TRANSITIONS: Readonly<Record<VersionState, readonly VersionState[]>> = {
  discovered: ['loading', 'refused'],
  loading: ['warming', 'refused', 'failed'],
  warming: ['ready', 'refused', 'failed'],
  ready: ['draining', 'failed'],
  draining: ['ready', 'released'],
  released: ['loading', 'refused'],
  refused: ['discovered'],
  failed: ['loading', 'discovered', 'refused'],
};
