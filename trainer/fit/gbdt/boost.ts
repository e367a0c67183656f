import { setImmediate as turn } from 'node:timers/promises';
import { KedgeError } from '../../../contract/errors.ts';
import { pick, rowCount, type TrainingSet } from '../../table.ts';
import type { FitOptions } from '../fitter.ts';
import { seededRandom } from '../random.ts';
import { type Binned, binsOf, binTable } from './binned.ts';
import type { Bins } from './bins.ts';
import { type Gradients, Grower, type GrowSettings } from './grow.ts';
import { computeGradients, hasConstantHessian, LOSSES } from './loss.ts';
import type { GbdtSettings } from './settings.ts';
import { addTree, type Tree } from './tree.ts';

/** An ensemble of trees: score = base + sum of leaves. */
export interface Boosted {
  bins: Bins[];
  base: number;
  trees: Tree[];
  /** The loss on the validation part after each tree that was tried. */
  validationLosses: number[];
}

/** Far beyond what a table gives reason for: a tree then multiplies a mean by 1.5 at most, at a learning rate of 0.1. */
const POISSON_STEP = 4;

interface Part {
  binned: Binned;
  target: Float64Array;
  weights: Float64Array | undefined;
  scores: Float32Array;
}

/** Gradient boosting (Friedman 2001), with second derivatives, on bins. Gives the event loop a turn after each tree. */
export async function boost(training: TrainingSet, settings: GbdtSettings, options: FitOptions): Promise<Boosted> {
  const { validation, seed = 0, onProgress, signal } = options;
  const { objective, trees: most, earlyStopping, subsample } = settings;
  const random = seededRandom(seed);
  checkTarget(training, objective);
  if (validation) checkTarget(validation, objective);
  const bins = binsOf(training, settings.maxBins, random);
  const part = partOf(training, bins);
  const held = validation && partOf(validation, bins);
  const base = Math.fround(LOSSES[objective].base(weightedMean(part)));
  const constant = hasConstantHessian(objective, part.weights);
  const rows = part.target.length;
  const gradients: Gradients = {
    first: new Float32Array(rows),
    second: constant ? undefined : new Float32Array(rows),
    carrier: 1,
  };
  const grower = new Grower(part.binned, bins, growSettings(settings, training), constant);
  const drawn = Math.max(1, Math.round(rows * subsample));
  const trees: Tree[] = [];
  const losses: number[] = [];
  let best = 0;
  const start = held ? meanLoss(held, objective, base) : 0;
  const lossOf = (count: number): number => (count === 0 ? start : losses[count - 1]!);
  while (trees.length < most) {
    signal?.throwIfAborted();
    computeGradients(objective, { ...part, base }, gradients);
    const before = drawn < rows ? part.scores.slice() : part.scores;
    const tree = grower.grow(gradients, part.scores, drawn, random);
    // Rows that were not drawn are scored too, which is simplest by scoring all of them.
    if (drawn < rows) {
      part.scores.set(before);
      addTree(tree, part.binned, bins, part.scores);
    }
    const stump = tree.nodes === 1;
    if (stump && drawn === rows && settings.columnSubsample === 1) break;
    trees.push(tree);
    let loss: number | undefined;
    if (held) {
      addTree(tree, held.binned, bins, held.scores);
      loss = meanLoss(held, objective, base);
      losses.push(loss);
      if (loss < lossOf(best)) best = trees.length;
      else if (earlyStopping > 0 && trees.length - best >= earlyStopping) break;
    }
    onProgress?.({ done: trees.length, total: most, ...(loss !== undefined && { loss }) });
    await turn();
  }
  const kept = held && earlyStopping > 0 ? best : trees.length;
  return { bins, base, trees: trees.slice(0, kept), validationLosses: losses };
}

function growSettings(settings: GbdtSettings, { table }: TrainingSet): GrowSettings {
  const { maxDeltaStep = settings.objective === 'poisson' ? POISSON_STEP : Number.POSITIVE_INFINITY } = settings;
  const monotone = Int8Array.from(table.columns, ({ name }) => settings.monotone[name] ?? 0);
  return { ...settings, maxDeltaStep, monotone };
}

function partOf(set: TrainingSet, bins: readonly Bins[]): Part {
  return {
    binned: binTable(set, bins),
    target: pick(set.target, set.rows),
    weights: set.weights && pick(set.weights, set.rows),
    scores: new Float32Array(rowCount(set)),
  };
}

function checkTarget(set: TrainingSet, objective: GbdtSettings['objective']): void {
  const target = pick(set.target, set.rows);
  const wrong = (rule: string, bad: number): KedgeError =>
    new KedgeError(
      'data-invalid',
      `The objective ${objective} wants ${rule}; there is ${bad}. Choose another objective.`,
    );
  for (const value of target) {
    if (objective === 'poisson' && value < 0) throw wrong('a target that is never negative', value);
    if (objective === 'logistic' && value !== 0 && value !== 1) throw wrong('a target of 0 and 1', value);
  }
}

function weightedMean({ target, weights }: Part): number {
  let [sum, total] = [0, 0];
  for (let row = 0; row < target.length; row += 1) {
    const weight = weights ? weights[row]! : 1;
    sum += weight * target[row]!;
    total += weight;
  }
  return sum / total;
}

function meanLoss({ target, weights, scores }: Part, objective: GbdtSettings['objective'], base: number): number {
  const { loss } = LOSSES[objective];
  let [sum, total] = [0, 0];
  for (let row = 0; row < target.length; row += 1) {
    const weight = weights ? weights[row]! : 1;
    sum += weight * loss(target[row]!, scores[row]! + base);
    total += weight;
  }
  return sum / total;
}
