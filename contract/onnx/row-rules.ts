import { broadcast, intAttribute, intsAttribute, listOf, type Shape, type Use } from './facts.ts';

/**
 * What happens to the rows of a request in a value between nodes: the axis along which they lie, each element depending on nothing but
 * its own row; or `constant`, which no row changes; or `mixed`, of which nothing is known.
 */
export type RowState = number | 'constant' | 'mixed';

interface RowUse extends Use {
  /** Of each input; absent ones are undefined. At least one has rows, and none is mixed. */
  rows: readonly (RowState | undefined)[];
}

/** Where the rows lie in the outputs of a node: one for all of them, or one for each. They follow the operator's page in the ONNX documentation. */
export type RowRule = (use: RowUse) => RowState | readonly RowState[];

const axisIn = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

function shapeOf({ inputs }: RowUse, index: number): Shape | undefined {
  return inputs[index]?.shape;
}

/** The first input has rows in a known shape, and no other input has any. */
function byFirst(rule: (axis: number, shape: Shape, use: RowUse) => RowState | readonly RowState[]): RowRule {
  return (use) => {
    const [axis, ...others] = use.rows;
    const shape = shapeOf(use, 0);
    if (typeof axis !== 'number' || !shape || others.some((state) => typeof state === 'number')) return 'mixed';
    return rule(axis, shape, use);
  };
}

/** Each element by itself. */
export const keeps = byFirst((axis) => axis);

/** Rows of a table: the operators of ai.onnx.ml take a vector for one row. */
export const table = byFirst((axis, shape) => (axis === 0 && shape.length === 2 ? 0 : 'mixed'));

/**
 * Numpy's broadcasting: rows must lie at the same place, counted from the end, in all that have them, and what is constant
 * must have one element there, or nothing.
 */
export const elementwise: RowRule = (use) => {
  const given = use.rows.flatMap((state, index) =>
    state === undefined ? [] : [{ state, shape: shapeOf(use, index) }],
  );
  if (given.some(({ shape }) => !shape)) return 'mixed';
  const rank = Math.max(...given.map(({ shape }) => shape!.length));
  const places = given.flatMap(({ state, shape }) => (typeof state === 'number' ? [state + rank - shape!.length] : []));
  const [place] = places;
  if (place === undefined || places.some((other) => other !== place)) return 'mixed';
  const fits = given.every(({ state, shape }) => {
    const dim = shape![place - rank + shape!.length];
    return typeof state === 'number' || dim === undefined || dim === 1;
  });
  return fits ? place : 'mixed';
};

/** Softmax and its kin. Before opset 13 all axes from `axis` on are taken together. */
export const softmax = byFirst((rows, shape, { node, opset }) => {
  const axis = axisIn(intAttribute(node, 'axis') ?? (opset < 13 ? 1 : -1), shape.length);
  const apart = opset < 13 ? rows < axis : rows !== axis;
  return apart ? rows : 'mixed';
});

/** Operators along one axis. */
export function along(fallback: number): RowRule {
  return byFirst((rows, shape, { node }) =>
    axisIn(intAttribute(node, 'axis') ?? fallback, shape.length) === rows ? 'mixed' : rows,
  );
}

/** Normalises all axes from `axis` on; scale and bias broadcast. */
export const layerNormalization = byFirst((rows, shape, use) => {
  const axis = axisIn(intAttribute(use.node, 'axis') ?? -1, shape.length);
  return rows < axis && elementwise(use) === rows ? rows : 'mixed';
});

/** Each row has axes of its own that are taken together. */
export const perRow = byFirst((rows, shape) => (rows === 0 && shape.length >= 3 ? 0 : 'mixed'));

export const meanVariance = byFirst((rows, shape, { node }) => {
  const axes = intsAttribute(node, 'axes') ?? (node.attributes.has('axes') ? undefined : [0, 2, 3]);
  return axes && !axes.some((axis) => axisIn(axis, shape.length) === rows) ? rows : 'mixed';
});

/** In training it takes means over the rows; it then has more outputs, or the attribute since opset 14. */
export const batchNormalization = byFirst((rows, shape, { node, opset }) => {
  const trains = intAttribute(node, 'training_mode') === 1 || node.outputs.filter((name) => name !== '').length > 1;
  return opset >= 7 && !trains && rows === 0 && shape.length >= 2 ? 0 : 'mixed';
});

/** As an input, `training_mode` can be true, and what is dropped is drawn for the tensor as a whole. */
export const dropout = byFirst((rows, _, { node }) => (node.inputs[2] ? 'mixed' : rows));

function withoutAxes(rows: number, shape: Shape, axes: readonly number[], keepDims: boolean): RowState {
  const gone = new Set(axes.map((axis) => axisIn(axis, shape.length)));
  if (gone.has(rows)) return 'mixed';
  return keepDims ? rows : rows - [...gone].filter((axis) => axis < rows).length;
}

export const reduce = byFirst((rows, shape, use) => {
  const axes = listOf(use, 'axes', 1);
  if (axes === undefined) return 'mixed';
  if (axes === 'absent' || axes.length === 0) {
    return intAttribute(use.node, 'noop_with_empty_axes') === 1 ? rows : 'mixed';
  }
  return withoutAxes(rows, shape, axes, intAttribute(use.node, 'keepdims') !== 0);
});

export const argReduce = byFirst((rows, shape, { node }) =>
  withoutAxes(rows, shape, [intAttribute(node, 'axis') ?? 0], intAttribute(node, 'keepdims') !== 0),
);

export const cumulative = byFirst((rows, shape, { inputs }) => {
  const axis = inputs[1]?.ints?.[0];
  return axis === undefined || axisIn(Number(axis), shape.length) === rows ? 'mixed' : rows;
});

/** Rows on the left, and no rows along the axis that is summed over; or rows in the stack of both. */
export const matMul: RowRule = (use) => {
  const [left, right] = [shapeOf(use, 0), shapeOf(use, 1)];
  const [a, b] = use.rows;
  if (!left || !right || left.length < 2 || right.length < 1) return 'mixed';
  if (use.rows.slice(2).some((state) => typeof state === 'number')) return 'mixed';
  const rank = Math.max(left.length, right.length);
  if (typeof b === 'number') {
    const places = [b + rank - right.length, typeof a === 'number' ? a + rank - left.length : undefined];
    const stacked = places[0]! < rank - 2 && right.length > 2;
    return stacked && places[0] === places[1] ? places[0]! : 'mixed';
  }
  if (typeof a !== 'number' || a === left.length - 1) return 'mixed';
  const place = a + rank - left.length;
  if (a === left.length - 2) return right.length === 1 ? a : place;
  const dim = right[place - rank + right.length];
  const fits = right.length <= 2 || dim === undefined || dim === 1;
  return fits ? place : 'mixed';
};

/** Integers: a zero point of the left side is one for all rows. */
export const matMulInteger: RowRule = (use) => {
  const zeroPoint = shapeOf(use, 2);
  const one = !use.node.inputs[2] || zeroPoint?.every((dim) => dim === 1);
  return one ? matMul(use) : 'mixed';
};

export const gemm: RowRule = (use) => {
  const [a, b, c] = use.rows;
  if (a !== (intAttribute(use.node, 'transA') ? 1 : 0) || b !== 'constant') return 'mixed';
  const bias = shapeOf(use, 2);
  if (c === undefined) return 0;
  if (typeof c === 'number') return c === 0 && bias?.length === 2 ? 0 : 'mixed';
  return bias && (bias.length < 2 || bias[0] === 1) ? 0 : 'mixed';
};

/** The indices that a pool may answer count through the whole tensor, other rows included. */
export const pool = byFirst((rows, shape, { node }) =>
  rows === 0 && shape.length >= 3
    ? node.outputs.map((name, index) => (index > 0 && name !== '' ? 'mixed' : 0))
    : 'mixed',
);

export const flatten = byFirst((rows, shape, { node }) => {
  const axis = axisIn(intAttribute(node, 'axis') ?? 1, shape.length);
  return rows === 0 && axis === 1 ? 0 : 'mixed';
});

/** The rows stay where the first dimension stays what it is: elements keep their order, so each row keeps its own. */
export function reshape(shapeAfter: (use: Use) => (Shape | undefined)[]): RowRule {
  return byFirst((rows, shape, use) => {
    const after = shapeAfter(use)[0]?.[0];
    const before = shape[0];
    const same = typeof before === 'object' && typeof after === 'object' && before.id === after.id;
    return rows === 0 && same ? 0 : 'mixed';
  });
}

export const transpose = byFirst((rows, shape, { node }) => {
  const order = intsAttribute(node, 'perm') ?? shape.map((_, axis) => shape.length - 1 - axis);
  const place = order.indexOf(rows);
  return place < 0 ? 'mixed' : place;
});

/** Without axes it takes away whatever has one element, which a single row has. */
export const squeeze = byFirst((rows, shape, use) => {
  const axes = listOf(use, 'axes', 1);
  return Array.isArray(axes) ? withoutAxes(rows, shape, axes, false) : 'mixed';
});

export const unsqueeze = byFirst((rows, shape, use) => {
  const axes = listOf(use, 'axes', 1);
  if (!Array.isArray(axes)) return 'mixed';
  const total = shape.length + axes.length;
  const added = new Set(axes.map((axis) => axisIn(axis, total)));
  return Array.from({ length: total }, (_, axis) => axis).filter((axis) => !added.has(axis))[rows] ?? 'mixed';
});

/** Every part has the same rows at the same place. */
export const concat: RowRule = (use) => {
  const [first] = use.rows;
  const rank = shapeOf(use, 0)?.length;
  const alike = use.rows.every((state, index) => state === first && shapeOf(use, index)?.length === rank);
  if (typeof first !== 'number' || rank === undefined || !alike) return 'mixed';
  return axisIn(intAttribute(use.node, 'axis') ?? 1, rank) === first ? 'mixed' : first;
};

export const slice = byFirst((rows, shape, use) => {
  const starts = listOf(use, 'starts', 1);
  const axes = listOf(use, 'axes', 3);
  if (!Array.isArray(starts) || axes === undefined) return 'mixed';
  const touched = axes === 'absent' ? starts.map((_, index) => index) : axes;
  return touched.some((axis) => axisIn(axis, shape.length) === rows) ? 'mixed' : rows;
});

/** Columns that constants choose; or rows that choose among constants, as an embedding does. */
export const gather: RowRule = (use) => {
  const [data, indices] = use.rows;
  const [values, chosen] = [shapeOf(use, 0), shapeOf(use, 1)];
  if (!values || !chosen) return 'mixed';
  const axis = axisIn(intAttribute(use.node, 'axis') ?? 0, values.length);
  if (typeof data === 'number' && indices === 'constant') {
    if (axis === data) return 'mixed';
    return axis > data ? data : data - 1 + chosen.length;
  }
  return data === 'constant' && typeof indices === 'number' ? axis + indices : 'mixed';
};

export const gatherElements: RowRule = (use) => {
  const [data, indices] = use.rows;
  const rank = shapeOf(use, 0)?.length;
  if (typeof data !== 'number' || data !== indices || rank === undefined) return 'mixed';
  return axisIn(intAttribute(use.node, 'axis') ?? 0, rank) === data ? 'mixed' : data;
};

export const expand = byFirst((rows, shape, use) => {
  const wanted = use.inputs[1]?.ints?.map(Number);
  if (!wanted) return 'mixed';
  const rank = broadcast([shape, wanted]).length;
  const place = rows + rank - shape.length;
  const dim = wanted[place - rank + wanted.length];
  return dim === undefined || dim === 1 ? place : 'mixed';
});

export const tile = byFirst((rows, shape, { inputs }) => {
  const repeats = inputs[1]?.ints;
  return repeats?.length === shape.length && repeats[rows] === 1n ? rows : 'mixed';
});

/** One scale for the tensor, or one for each place along another axis. */
export const quantize = byFirst((rows, shape, use) => {
  const scale = shapeOf(use, 1);
  if (!scale) return 'mixed';
  const axis = axisIn(intAttribute(use.node, 'axis') ?? 1, shape.length);
  const blocked = (intAttribute(use.node, 'block_size') ?? 0) !== 0;
  return !blocked && (scale.length === 0 || (scale.length === 1 && (scale[0] === 1 || axis !== rows))) ? rows : 'mixed';
});

export const columns = byFirst((rows, shape, { rows: states }) =>
  rows === 0 && shape.length === 2 && states[1] === 'constant' ? 0 : 'mixed',
);
