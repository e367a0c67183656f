import type { ServerCode } from '../../contract/admission.ts';
import { type Estimator, featureDigest } from '../../contract/estimator.ts';
import { digestOf } from '../../contract/manifest.ts';
import { KEDGE_VERSION } from '../../contract/version.ts';
import type { CodeOf } from './task.ts';

export function codeOf({ name, version, features }: Estimator): CodeOf {
  return { estimator: name, version, features: featureDigest(features) };
}

/** The code here as a server of the same release would judge by it. */
export function serverCode({ estimator, version, features }: CodeOf): ServerCode {
  return { server: KEDGE_VERSION, estimators: [{ name: estimator, version, features }] };
}

/** Names what belongs to this code alone, such as its queue: other code has other models to make. `scooter-demand-1f3b…` */
export function codeName(code: CodeOf): string {
  const digest = digestOf(JSON.stringify([code.estimator, code.version, code.features]));
  return `${code.estimator.replace(/[^A-Za-z0-9._-]/g, '-')}-${digest.slice('sha256:'.length, 'sha256:'.length + 12)}`;
}
