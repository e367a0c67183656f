import { digestOf } from '../manifest.ts';
import type { HeadNode } from './graph.ts';

/**
 * A dimension as far as it is known: a number, or a symbol whose size follows from dimensions of the request. `from` names
 * these as `input.axis`; the symbol grows at most in proportion to their sum. Equal ids are equal sizes. `positive`: it is
 * never 0, as requests with empty tensors do not reach the runtime.
 */
export type Dim = number | { id: string; from: ReadonlySet<string>; positive: boolean };
export type Shape = readonly Dim[];

/** What is known of a value between nodes. */
export interface Fact {
  /** TensorProto.DataType. */
  element?: number | undefined;
  shape?: Shape | undefined;
  /** No request can change it. */
  constant: boolean;
  /** Elements of a short constant integer tensor. */
  ints?: readonly bigint[] | undefined;
}

/** A node with what is known of its inputs; absent ones are undefined. */
export interface Use {
  node: HeadNode;
  inputs: readonly (Fact | undefined)[];
  /** Version of the opset of its domain. */
  opset: number;
}

export const UNKNOWN: Fact = { constant: false };

/** Longer ids are digested: a sum of sums of sums would double its id each time. */
const MAX_ID = 200;

/** A dimension of an input that a request chooses. */
export function freeDim(input: number, axis: number): Dim {
  const id = `${input}.${axis}`;
  return { id, from: new Set([id]), positive: true };
}

const POSITIVE = new Set(['sum', 'product', 'max']);

/** A dimension that follows from others, such as their sum; a number where all are, by `compute`. */
export function derive(name: string, dims: readonly Dim[], compute: (sizes: number[]) => number): Dim {
  if (dims.every((dim) => typeof dim === 'number')) return compute(dims as number[]);
  const ids = dims.map((dim) => (typeof dim === 'number' ? String(dim) : dim.id));
  const from = new Set(dims.flatMap((dim) => (typeof dim === 'number' ? [] : [...dim.from])));
  const id = `${name}(${ids.join(',')})`;
  const positive = POSITIVE.has(name) && dims.every(isPositive);
  return { id: id.length > MAX_ID ? digestOf(id) : id, from, positive };
}

/**
 * Whether a tensor of this shape grows at most in proportion to the request: it has one symbol, or several that are
 * different axes of one input. Two axes of different inputs, or one axis twice, would multiply.
 */
export function growsLinearly(shape: Shape): boolean {
  const symbols = shape.filter((dim) => typeof dim !== 'number');
  if (symbols.length < 2) return true;
  const sources = symbols.flatMap(({ from }) => [...from]);
  const inputs = new Set(sources.map((source) => source.split('.')[0]));
  return inputs.size === 1 && new Set(sources).size === sources.length;
}

function isPositive(dim: Dim): boolean {
  return typeof dim === 'number' ? dim > 0 : dim.positive;
}

/** Whether a tensor certainly has elements. */
export function neverEmpty(fact: Fact | undefined): boolean {
  return fact?.shape?.every(isPositive) ?? false;
}

/** The shape of an element-wise result, by numpy's rules. */
export function broadcast(shapes: readonly Shape[]): Shape {
  const rank = Math.max(0, ...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) =>
    shapes
      .map((shape) => shape[axis - rank + shape.length] ?? 1)
      .reduce((a, b) => {
        if (a === 1 || same(a, b)) return b;
        if (b === 1) return a;
        if (typeof a === 'number') return a;
        return typeof b === 'number' ? b : derive('max', [a, b], (sizes) => Math.max(...sizes));
      }, 1 as Dim),
  );
}

function same(a: Dim, b: Dim): boolean {
  return typeof a === 'number' || typeof b === 'number' ? a === b : a.id === b.id;
}

/** The size of several dimensions together. */
export function product(dims: readonly Dim[]): Dim {
  const factors = dims.filter((dim) => dim !== 1);
  if (factors.length === 1) return factors[0]!;
  return derive('product', factors, (sizes) => sizes.reduce((total, size) => total * size, 1));
}

export function intAttribute(node: HeadNode, name: string): number | undefined {
  const value = node.attributes.get(name)?.int;
  return value === undefined ? undefined : Number(value);
}

export function intsAttribute(node: HeadNode, name: string): number[] | undefined {
  return node.attributes.get(name)?.ints?.map(Number);
}

/** A list that older opsets take as an attribute and newer ones as an input; undefined where no one can tell. */
export function listOf({ node, inputs }: Use, attribute: string, input: number): number[] | 'absent' | undefined {
  if (node.attributes.has(attribute)) return intsAttribute(node, attribute);
  if (!node.inputs[input]) return 'absent';
  return inputs[input]?.ints?.map(Number);
}
