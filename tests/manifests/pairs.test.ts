import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Any,
  containersOf,
  documents,
  hasKustomize,
  MANIFESTS,
  renderComponents,
  withKustomize,
  workloads,
} from './objects.ts';
import { problemsOf } from './problems.ts';

/** What a component is of no use without, in the order in which these come before it. */
const NEEDS: Record<string, string[]> = {
  'train-ensure': ['training'],
  'train-distributed': ['training'],
  'train-keda': ['training', 'train-distributed'],
  'vpa-training': ['training'],
};
/** One owner for the number of pods. */
const OWNERS = ['keda', 'prometheus-adapter', 'scale-to-zero'];
/** Orders that do not work: kustomize refuses them, with these words. */
const REFUSED: [before: string, after: RegExp, words: RegExp][] = [
  ['external-stores', /^(shared-volume|train.*)$/, /kedge~1s3-keys/],
  ['train-keda', /^train-distributed$/, /no matches for Id Job.*kedge-train-workers/],
];

const COMPONENTS = readdirSync(join(MANIFESTS, 'components'));
const ALL = COMPONENTS.flatMap((one, place) =>
  COMPONENTS.slice(place + 1).flatMap((other) => [[one, other] as const, [other, one] as const]),
);
const excludeEachOther = (pair: readonly string[]): boolean => pair.every((name) => OWNERS.includes(name));

/** The two in their order, and before them what they need besides. */
function inOrder(pair: readonly string[]): string[] {
  const needed = pair.flatMap((name) => NEEDS[name] ?? []).filter((name) => !pair.includes(name));
  return [...new Set(needed), ...pair];
}

function wordsOfRefusal(components: readonly string[]): RegExp | undefined {
  return REFUSED.find(([before, after]) => {
    const place = components.indexOf(before);
    return place >= 0 && components.slice(place).some((name) => after.test(name));
  })?.[2];
}

/** How containers ask for the keys of the bucket. */
function keysAsked(objects: readonly Any[]): { name: string; optional: boolean }[] {
  return workloads(objects).flatMap(({ name, pod }) =>
    containersOf(pod)
      .flatMap(({ envFrom = [] }) => envFrom)
      .filter(({ secretRef }) => secretRef?.name === 'kedge-s3')
      .map(({ secretRef }) => ({ name, optional: secretRef.optional === true })),
  );
}

describe.skipIf(!hasKustomize)(withKustomize('two components in both orders'), () => {
  it.each(ALL.filter((pair) => !excludeEachOther(pair)))('%s, then %s', (...pair) => {
    const components = inOrder(pair);
    const words = wordsOfRefusal(components);
    if (words) {
      expect(() => renderComponents(components)).toThrow(words);
      return;
    }
    const objects = documents(renderComponents(components));
    expect(problemsOf(objects)).toEqual([]);
    const keys = keysAsked(objects);
    const insists = components.includes('external-stores');
    expect(keys).toEqual(keys.map(({ name }) => ({ name, optional: !insists })));
    expect(keys.filter(({ name }) => /^kedge(-loader)?$/.test(name))).toHaveLength(1);
  });

  it.each(ALL.filter(excludeEachOther))('%s, then %s: two owners of the number of pods are found out', (...pair) => {
    const told = (): string => {
      try {
        return problemsOf(documents(renderComponents(pair))).join();
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(told()).toMatch(/no autoscaler asks for|already registered id/);
  });
});
