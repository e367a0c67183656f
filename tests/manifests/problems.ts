import { wrongSums } from './arithmetic.ts';
import type { Any } from './objects.ts';
import { insecurePods, wrongJobs, wrongSettings } from './pods.ts';
import { brokenReferences } from './references.ts';

/** Sentences on all that our own checks find in what would be applied. Sums are done over what is whole. */
export function problemsOf(objects: readonly Any[]): string[] {
  const problems = [brokenReferences, insecurePods, wrongSettings, wrongJobs].flatMap((check) => check(objects));
  return problems.length > 0 ? problems : wrongSums(objects);
}
