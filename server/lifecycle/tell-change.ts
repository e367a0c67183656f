import { messageOf } from '../../contract/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { ServedVersion } from './served-version.ts';

/** Logs a change of a version: each reason of a refusal or failure, or else its new state. */
export function tellChange(log: Log, version: ServedVersion, cause: unknown): void {
  const { model, state, reasons, digest } = version;
  const facts = { model, version: version.version, digest, state };
  for (const { code, message } of reasons) log.warn({ ...facts, code, cause: causeOf(cause, message) }, message);
  if (reasons.length > 0) return;
  const name = `${model} version ${version.version}`;
  if (state === 'ready' && version.unfit) {
    log.warn({ ...facts, cause: causeOf(cause, '') }, `${name} keeps ending its process`);
  } else {
    log[state === 'loading' || state === 'warming' ? 'debug' : 'info'](facts, `${name} is ${state}`);
  }
}

/** Logs that a version is to be loaded, and lazy models in use hold the memory that it needs. */
export function tellHeldUp(log: Log, { model, version, digest, state }: ServedVersion): void {
  log.info(
    { model, version, digest, state },
    `${model} version ${version} waits for memory that lazy models in use hold`,
  );
}

/** What lies behind a reason, where the sentence does not say it already. */
function causeOf(cause: unknown, message: string): string | undefined {
  if (cause === undefined || messageOf(cause) === message) return undefined;
  return cause instanceof Error ? cause.stack : String(cause);
}
