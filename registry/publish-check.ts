import type { ModelContract } from '../contract/admission/terms.ts';
import { admit } from '../contract/admission.ts';
import { KedgeError } from '../contract/errors.ts';
import { type Details, detailsSchema } from '../contract/manifest.ts';
import { manifestOf } from '../contract/manifest-of.ts';
import { nearest } from '../contract/nearest.ts';
import type { OnnxHead } from '../contract/onnx/graph.ts';
import type { Refusal } from '../contract/refusal.ts';
import { RUNTIME } from '../contract/runtime.ts';
import { issueOf } from './documents.ts';
import { invalid, type Source } from './source.ts';

/** @throws KedgeError `source-invalid` */
export function checkDetails(details: unknown): Details {
  const parsed = detailsSchema.safeParse(details ?? {});
  if (parsed.success) return parsed.data;
  throw invalid(`the details do not have their form: ${issueOf(parsed.error.issues)}.`);
}

export interface CheckOptions {
  model: string;
  /** A number that it may get. */
  version: number;
  details: Details;
  contract: ModelContract | undefined;
  allowBreaking: boolean;
}

/**
 * Refuses, before a number is claimed, what could never serve, with all the reasons that a loader would have.
 * @returns the head, and what a publisher should know though it is no reason to refuse
 * @throws KedgeError `source-invalid`; its details carry the refusals
 */
export function checkSource(
  source: Source,
  { model, version, details, contract, allowBreaking }: CheckOptions,
): { head: OnnxHead; notes: string[] } {
  const files = source.files.map(({ path, bytes }) => ({ path, bytes }));
  const { head } = source;
  if (!head.ok) throw refuse(head.refusals);
  // Provisional: the digests are not known yet, so the rules on them are not judged.
  const hashed = files.map((file) => ({ ...file, sha256: '0'.repeat(64) }));
  const createdAt = new Date(0).toISOString();
  const manifest = manifestOf({ model, version, createdAt, files: hashed, head: head.head, details });
  const refusals = admit({ model, version, head, files, manifest }, { runtime: RUNTIME, contract });
  const breaking = refusals.filter(({ code }) => code === 'signature-contract');
  const others = refusals.filter(({ code }) => code !== 'signature-contract');
  if (others.length > 0 || (breaking.length > 0 && !allowBreaking)) throw refuse(refusals, breaking.length > 0);
  const notes = breaking.map(
    ({ message }) => `${message} It serves only once it is pinned: kedge pin ${model} ${version}`,
  );
  if (source.leftOut.length > 0)
    notes.push(`left out, because the graph does not name it: ${source.leftOut.slice(0, 8).join(', ')}`);
  notes.push(...unknownKeys(details));
  return { head: head.head, notes };
}

/** A misspelt key is kept like any that Kedge does not know, and does nothing. */
function unknownKeys(details: Details): string[] {
  const known = Object.keys(detailsSchema.shape);
  return Object.keys(details)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const meant = nearest(key, known);
      return `the details have '${key}', which is unknown to Kedge and is kept without effect${meant ? `; did you mean ${meant}?` : '.'}`;
    });
}

function refuse(refusals: readonly Refusal[], breaking = false): KedgeError {
  const sentences = refusals.map(({ code, message }) => `${code}: ${message}`);
  const advice = breaking
    ? [
        'To publish it all the same, for a pin to bring it into service, use --force; or publish it under a new model name.',
      ]
    : [];
  return new KedgeError('source-invalid', [...sentences, ...advice].join('\n'), {
    details: { refusals: refusals.map((refusal) => ({ ...refusal })) },
  });
}
