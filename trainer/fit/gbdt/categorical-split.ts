import { rest, type Split, type SplitSearch, type Sums } from './split.ts';

/**
 * Splits a column of categories into a set and the rest, as LightGBM does (FindBestThresholdCategoricalInner,
 * src/treelearner/feature_histogram.cpp): one category against all others where there are few; otherwise categories are sorted by
 * gradient over hessian, for the best partition is then one of the cuts of that order (Fisher, On Grouping for Maximum Homogeneity, 1958),
 * and a set is taken from either end. The set stays small and goes left; rare, unknown and missing categories go right.
 */
export function categoricalSplit(search: SplitSearch, least: number): Split | undefined {
  const { decoded, bins, rules } = search;
  const used: number[] = [];
  for (let bin = 0; bin < bins.values; bin += 1) {
    if (decoded.counts[bin]! >= rules.minCategorySamples) used.push(bin);
  }
  if (bins.values <= rules.maxOneHot) {
    let best: Split | undefined;
    for (const bin of used) best = bestSet(search, [bin], best?.gain ?? least, 0) ?? best;
    return best;
  }
  const order = (bin: number): number => decoded.gradients[bin]! / (decoded.hessians[bin]! + rules.categorySmoothing);
  used.sort((a, b) => order(a) - order(b) || a - b);
  const most = Math.min(rules.maxCategories, Math.ceil(used.length / 2));
  const lowest = bestSet(search, used.slice(0, most), least, rules.categoryL2);
  const highest = used.reverse().slice(0, most);
  return bestSet(search, highest, lowest?.gain ?? least, rules.categoryL2) ?? lowest;
}

/** The best of the sets that begin with the first bin and take in one after another. `extraL2` keeps small sets from looking too good. */
function bestSet(
  { column, decoded, node, rules }: SplitSearch,
  bins: readonly number[],
  least: number,
  extraL2: number,
): Split | undefined {
  const l2 = rules.l2 + extraL2;
  const score = ({ gradient, hessian }: Sums): number => gradient ** 2 / (hessian + l2);
  const parent = node.gradient ** 2 / (node.hessian + rules.l2);
  let needed = Math.max(least, rules.minSplitGain);
  let best: Omit<Split, 'categories'> | undefined;
  let size = 0;
  const left: Sums = { gradient: 0, hessian: 0, count: 0 };
  for (const [index, bin] of bins.entries()) {
    left.gradient += decoded.gradients[bin]!;
    left.hessian += decoded.hessians[bin]!;
    left.count += decoded.counts[bin]!;
    const right = rest(node, left);
    if (left.count < rules.minChildSamples || left.hessian < rules.minChildWeight) continue;
    if (right.count < rules.minChildSamples || right.hessian < rules.minChildWeight) break;
    const gain = score(left) + score(right) - parent;
    if (!(gain > needed)) continue;
    [needed, size] = [gain, index + 1];
    best = { gain, column, bin: -1, missingLeft: false, left: { ...left }, right };
  }
  if (!best) return undefined;
  const categories = new Uint8Array(256);
  for (const bin of bins.slice(0, size)) categories[bin] = 1;
  return { ...best, categories };
}
