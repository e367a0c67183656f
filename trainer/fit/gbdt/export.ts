import { type EncodeAttribute, type EncodeModel, type EncodeNode, encodeModel } from '../../../contract/onnx/encode.ts';
import { KEDGE_VERSION } from '../../../contract/version.ts';
import type { Objective, TensorNames } from '../fitter.ts';
import type { Bins } from './bins.ts';
import type { Boosted } from './boost.ts';
import { Tree } from './tree.ts';

/** Nodes of all trees, as the attributes of TreeEnsembleRegressor and TreeEnsembleClassifier want them. */
class NodeLists {
  readonly trees: number[] = [];
  readonly ids: number[] = [];
  readonly features: number[] = [];
  readonly values: number[] = [];
  readonly modes: string[] = [];
  readonly yes: number[] = [];
  readonly no: number[] = [];
  readonly missing: number[] = [];
  readonly leaves: { tree: number; node: number; weight: number }[] = [];

  branch(
    tree: number,
    id: number,
    mode: string,
    feature: number,
    value: number,
    to: [yes: number, no: number],
    missing: number,
  ): void {
    this.trees.push(tree);
    this.ids.push(id);
    this.modes.push(mode);
    this.features.push(feature);
    this.values.push(value);
    this.yes.push(to[0]);
    this.no.push(to[1]);
    this.missing.push(missing);
  }

  leaf(tree: number, id: number, weight: number): void {
    this.branch(tree, id, 'LEAF', 0, 0, [0, 0], 0);
    this.leaves.push({ tree, node: id, weight });
  }

  attributes(): Record<string, EncodeAttribute> {
    return {
      nodes_treeids: { ints: this.trees },
      nodes_nodeids: { ints: this.ids },
      nodes_featureids: { ints: this.features },
      nodes_values: { floats: this.values },
      nodes_modes: { strings: this.modes },
      nodes_truenodeids: { ints: this.yes },
      nodes_falsenodeids: { ints: this.no },
      nodes_missing_value_tracks_true: { ints: this.missing },
    };
  }
}

/**
 * A branch on numbers is BRANCH_LEQ at an edge that is a 32-bit float. A set of categories is a chain of BRANCH_EQ whose true sides all
 * lead to the same child, as LightGBM's converter writes them; no category equals NaN, so that a missing value falls through.
 * Ids rise from parent to child, which proves to the server that each walk ends (contract/onnx/tree-order.ts).
 */
function addNodes(lists: NodeLists, tree: Tree, index: number, bins: readonly Bins[]): void {
  const chains = Array.from({ length: tree.nodes }, (_, node) => chainOf(tree, node, bins));
  const ids: number[] = [];
  let next = 0;
  for (const chain of chains) {
    ids.push(next);
    next += Math.max(1, chain?.length ?? 1);
  }
  for (let node = 0; node < tree.nodes; node += 1) {
    const id = ids[node]!;
    if (tree.isLeaf(node)) {
      lists.leaf(index, id, tree.value[node]!);
      continue;
    }
    const column = tree.column[node]!;
    const [yes, no] = [ids[tree.left[node]!]!, ids[tree.right[node]!]!];
    const codes = chains[node];
    if (codes) {
      for (const [at, code] of codes.entries()) {
        const otherwise = at === codes.length - 1 ? no : id + at + 1;
        lists.branch(index, id + at, 'BRANCH_EQ', column, code, [yes, otherwise], 0);
      }
    } else {
      lists.branch(
        index,
        id,
        'BRANCH_LEQ',
        column,
        edgeOf(bins[column]!, tree.bin[node]!),
        [yes, no],
        tree.missingLeft[node]!,
      );
    }
  }
}

function chainOf(tree: Tree, node: number, bins: readonly Bins[]): number[] | undefined {
  const set = tree.categories[node];
  const of = bins[tree.column[node]!]!;
  if (tree.isLeaf(node) || !set || of.kind !== 'categorical') return undefined;
  return [...of.codes].filter((_, bin) => set[bin] === 1);
}

/** The largest value that goes left; all values go left of a split that sets missing ones apart. */
function edgeOf(bins: Bins, bin: number): number {
  if (bins.kind !== 'numeric') throw new Error('a column of categories has no edges');
  return bins.edges[bin] ?? Number.POSITIVE_INFINITY;
}

/**
 * The bytes of model.onnx. Squared error: one TreeEnsembleRegressor. Poisson: Exp after it. Logistic: a TreeEnsembleClassifier whose class 0
 * always scores 0, so that SOFTMAX over both is the logistic function of the score of class 1, and the label the likelier of the two.
 */
export function gbdtOnnx({ trees, base, bins }: Boosted, objective: Objective, names: TensorNames): Uint8Array {
  const lists = new NodeLists();
  const grown = trees.length > 0 ? trees : [new Tree(1)];
  for (const [index, tree] of grown.entries()) addNodes(lists, tree, index, bins);
  return encodeModel({
    producer: { name: 'kedge', version: KEDGE_VERSION },
    opsets: { '': 15, 'ai.onnx.ml': 3 },
    inputs: [{ name: names.input, type: 'float', dims: ['rows', bins.length] }],
    ...(objective === 'logistic' ? classifier(lists, base, names) : regressor(lists, base, objective, names)),
  });
}

type Part = Pick<EncodeModel, 'outputs' | 'nodes'>;

function regressor(lists: NodeLists, base: number, objective: Objective, { input, output }: TensorNames): Part {
  const score = objective === 'poisson' ? unusedName(output, 'score') : output;
  const trees: EncodeNode = {
    type: 'TreeEnsembleRegressor',
    domain: 'ai.onnx.ml',
    inputs: [input],
    outputs: [score],
    attributes: {
      ...lists.attributes(),
      n_targets: { int: 1 },
      base_values: { floats: [base] },
      target_treeids: { ints: lists.leaves.map(({ tree }) => tree) },
      target_nodeids: { ints: lists.leaves.map(({ node }) => node) },
      target_ids: { ints: lists.leaves.map(() => 0) },
      target_weights: { floats: lists.leaves.map(({ weight }) => weight) },
    },
  };
  const nodes = objective === 'poisson' ? [trees, { type: 'Exp', inputs: [score], outputs: [output] }] : [trees];
  return { nodes, outputs: [{ name: output, type: 'float', dims: ['rows', 1] }] };
}

function classifier(lists: NodeLists, base: number, { input, output }: TensorNames): Part {
  // The base goes into the first tree, as onnxruntime gives base_values of two classes a meaning of its own. Each row gets a score of 0 for
  // class 0 there: a class without a score would count as absent.
  const weights = lists.leaves.map((leaf) => ({ ...leaf, weight: leaf.weight + (leaf.tree === 0 ? base : 0), of: 1 }));
  for (const leaf of lists.leaves) if (leaf.tree === 0) weights.push({ ...leaf, weight: 0, of: 0 });
  const label = unusedName(output, 'label');
  const node: EncodeNode = {
    type: 'TreeEnsembleClassifier',
    domain: 'ai.onnx.ml',
    inputs: [input],
    outputs: [label, output],
    attributes: {
      ...lists.attributes(),
      classlabels_int64s: { ints: [0, 1] },
      class_treeids: { ints: weights.map(({ tree }) => tree) },
      class_nodeids: { ints: weights.map(({ node }) => node) },
      class_ids: { ints: weights.map(({ of }) => of) },
      class_weights: { floats: weights.map(({ weight }) => weight) },
      post_transform: { string: 'SOFTMAX' },
    },
  };
  const outputs: Part['outputs'] = [
    { name: label, type: 'int64', dims: ['rows'] },
    { name: output, type: 'float', dims: ['rows', 2] },
  ];
  return { nodes: [node], outputs };
}

function unusedName(taken: string, wanted: string): string {
  return taken === wanted ? `${wanted}_` : wanted;
}
