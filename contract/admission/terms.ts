import type { Manifest } from '../manifest.ts';
import { signatureOf } from '../manifest-of.ts';
import type { HeadResult } from '../onnx/head.ts';
import type { Refusal } from '../refusal.ts';
import type { Signature } from '../signature.ts';
import { type CompareOptions, compareSignatures } from './signature.ts';

/** What a version takes and gives. */
export interface Terms {
  signature: Signature;
  /** Digest of the features that an estimator makes its inputs of; absent where clients write the tensors. */
  features?: string | undefined;
}

/** What clients of a model rely on. */
export interface ModelContract extends Terms {
  /** The version that set it. */
  version: number;
}

export function termsOf({ signature, code }: Manifest): Terms {
  return { signature, features: code?.features };
}

/** The terms of a version by its manifest, else by its graph; undefined where neither can be read. */
export function termsIn(read: { manifest?: Manifest | undefined; head?: HeadResult | undefined }): Terms | undefined {
  if (read.manifest) return termsOf(read.manifest);
  return read.head?.ok ? { signature: signatureOf(read.head.head) } : undefined;
}

/**
 * One `signature-contract` refusal for each difference that would break a client of the contract. Where both have features and
 * these differ, a release of the estimator lies between them: its clients send rows and never see the inputs, which the digest holds
 * against the code that fills them, so the outputs alone bind. A version without features binds its clients by its inputs.
 */
export function compareTerms(contract: Terms, candidate: Terms, options: CompareOptions = {}): Refusal[] {
  const released = contract.features && candidate.features && contract.features !== candidate.features;
  const { inputs } = released ? contract.signature : candidate.signature;
  return compareSignatures(contract.signature, { ...candidate.signature, inputs }, options);
}
