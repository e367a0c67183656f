import type { DriftedFeature } from '../evaluate/drift.ts';

/**
 * Why a model is trained. `missing`: nothing of it is in the bucket that could serve; `incompatible`: there are versions, and none of them
 * fits the code that runs here; `stale`: the version that serves is too old; `drifted`: its inputs are no longer those it learned
 * from; `asked`: somebody said so.
 */
export type Reason = 'missing' | 'incompatible' | 'stale' | 'drifted' | 'asked';

/** The code that a model is for, as a manifest names it. */
export interface CodeOf {
  estimator: string;
  version: string;
  /** `sha256:…` over the feature schema. */
  features: string;
}

/** One model to be trained. Plain JSON: it goes through the queue. */
export interface TrainingTask {
  model: string;
  reason: Reason;
  /** Of `drifted`: by which features. */
  drift?: readonly DriftedFeature[];
  code: CodeOf;
  /** The history that it may see, ISO 8601: from (all that there is if absent) to below `to`. */
  window: { from?: string; to: string };
  /** What the fitter takes. */
  settings: Readonly<Record<string, unknown>>;
  /** The same task on the same history gives the same bytes. */
  seed: number;
}

/** What a master planned, and all others work off. Plain JSON. */
export interface Run {
  /** `20261124t225434-3f9a1c`: sorts by time. */
  id: string;
  createdAt: string;
  /** Who planned it. */
  by: string;
  /** `ensure`, `stale 24h`, `all`. */
  mode: string;
  /** Publish in spite of the gate. */
  force: boolean;
  tasks: readonly TrainingTask[];
}
