import type { Refusal } from '../../contract/refusal.ts';
import type { ServedModel } from '../lifecycle/served-model.ts';
import type { VersionState } from '../lifecycle/states.ts';

/** Known versions that are not retired, newest first. */
export function numbersOf(model: ServedModel): number[] {
  const retired = model.catalog.rollout?.retired;
  const numbers = new Set([...model.versions, ...model.catalog.versions].map(({ version }) => version));
  return [...numbers]
    .filter((number) => !Array.isArray(retired) || !retired.includes(number) || model.find(number)?.isReady)
    .sort((a, b) => b - a);
}

/** What this server, or else the catalog, says of a version. */
export interface StateOfVersion {
  state: VersionState | 'available' | 'incomplete';
  reasons: readonly Refusal[];
}

/** Why a version is not loaded that a request for it will load. */
export const ASLEEP = 'loaded when first asked for';

/** Whether the version answers, or will as soon as it is asked for. */
export function canAnswer(model: ServedModel, number: number): boolean {
  const served = model.find(number);
  return served !== undefined && model.canAnswer(served);
}

export function stateOf(model: ServedModel, number: number): StateOfVersion {
  const served = model.find(number);
  if (served) return served;
  const listed = model.catalog.versions.find(({ version }) => version === number)!;
  return { state: listed.state, reasons: 'reasons' in listed ? listed.reasons : [] };
}

export function sentenceOf(reasons: readonly Refusal[]): string {
  return reasons.map(({ code, message }) => `${code}: ${message}`).join(' ');
}
