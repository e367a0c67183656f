import type { Refusal } from '../refusal.ts';
import type { Signature } from '../signature.ts';

/** One `signature-contract` refusal for each difference that would break a client of the contract. */
export function compareSignatures(contract: Signature, candidate: Signature): Refusal[] {
  throw new Error(`not yet written: ${contract.inputs.length} ${candidate.inputs.length}`);
}
