import { KedgeError, messageOf } from '../../contract/errors.ts';
import { type RunRecord, runRecord } from './record.ts';

/** Problems that are named; a file that is something else has hundreds. */
const NAMED = 5;

/**
 * The record of a run from its JSON.
 *
 * @param path for messages
 * @throws KedgeError document-invalid: no JSON, another version of the schema, or not its form; problems are named with their places
 */
export function readRecord(text: string, path: string): RunRecord {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new KedgeError('document-invalid', `${path} is no JSON: ${messageOf(error)}`, { cause: error });
  }
  const version =
    typeof parsed === 'object' && parsed !== null && 'schemaVersion' in parsed ? parsed.schemaVersion : undefined;
  if (version === undefined) {
    throw new KedgeError(
      'document-invalid',
      `${path} is no record of a run: it has no schemaVersion. kedge bench load and kedge bench autoscale write one with --json FILE.`,
    );
  }
  if (version !== 1) {
    throw new KedgeError(
      'document-invalid',
      `${path} has schemaVersion ${JSON.stringify(version)}; this release reads 1. Read it with the release that wrote it, or run the bench again.`,
    );
  }
  const read = runRecord.safeParse(parsed);
  if (read.success) return read.data;
  const { issues } = read.error;
  const problems = issues.slice(0, NAMED).map(({ path: at, message }) => `${at.join('.')}: ${message}`);
  const more = issues.length > NAMED ? `; and ${issues.length - NAMED} more` : '';
  throw new KedgeError('document-invalid', `${path} is no record of a run: ${problems.join('; ')}${more}`);
}
