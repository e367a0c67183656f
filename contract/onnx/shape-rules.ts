import {
  broadcast,
  type Dim,
  derive,
  intAttribute,
  intsAttribute,
  listOf,
  product,
  type Shape,
  type Use,
} from './facts.ts';

/** The shapes of the outputs of a node, as far as they are known. They follow the operator's page in the ONNX documentation. */
export type ShapeRule = (use: Use) => (Shape | undefined)[];

const axisIn = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

function shapeOf({ inputs }: Use, index: number): Shape | undefined {
  return inputs[index]?.shape;
}

/** A rule that needs the shape of the first input. */
function byFirst(rule: (shape: Shape, use: Use) => Shape | undefined): ShapeRule {
  return (use) => {
    const shape = shapeOf(use, 0);
    return [shape && rule(shape, use)];
  };
}

export const unknown: ShapeRule = () => [];
export const same = byFirst((shape) => shape);
/** Every output has the shape of the input. */
export const sameAll: ShapeRule = (use) => use.node.outputs.map(() => shapeOf(use, 0));
export const scalar: ShapeRule = () => [[]];
export const rank = byFirst((shape) => [shape.length]);

export const elementwise: ShapeRule = ({ node, inputs }) => {
  const shapes = node.inputs.flatMap((name, index) => (name === '' ? [] : [inputs[index]?.shape]));
  return [shapes.every((shape) => shape !== undefined) ? broadcast(shapes as Shape[]) : undefined];
};

export const reduce = byFirst((shape, use) => {
  const axes = listOf(use, 'axes', 1);
  if (axes === undefined) return undefined;
  if (axes === 'absent' || axes.length === 0) {
    if (intAttribute(use.node, 'noop_with_empty_axes') === 1) return shape;
    return keep(
      shape,
      shape.map((_, axis) => axis),
      use,
    );
  }
  return keep(
    shape,
    axes.map((axis) => axisIn(axis, shape.length)),
    use,
  );
});

function keep(shape: Shape, axes: readonly number[], { node }: Use): Shape {
  const gone = new Set(axes);
  if (intAttribute(node, 'keepdims') === 0) return shape.filter((_, axis) => !gone.has(axis));
  return shape.map((dim, axis) => (gone.has(axis) ? 1 : dim));
}

export const argReduce = byFirst((shape, use) =>
  keep(shape, [axisIn(intAttribute(use.node, 'axis') ?? 0, shape.length)], use),
);

export const matMul: ShapeRule = (use) => {
  const a = shapeOf(use, 0);
  const b = shapeOf(use, 1);
  if (!a?.length || !b?.length) return [];
  const stack = broadcast([a.slice(0, -2), b.slice(0, -2)]);
  const rows = a.length > 1 ? [a.at(-2)!] : [];
  const columns = b.length > 1 ? [b.at(-1)!] : [];
  return [[...stack, ...rows, ...columns]];
};

export const gemm: ShapeRule = (use) => {
  const a = shapeOf(use, 0);
  const b = shapeOf(use, 1);
  if (a?.length !== 2 || b?.length !== 2) return [];
  return [[a[intAttribute(use.node, 'transA') ? 1 : 0]!, b[intAttribute(use.node, 'transB') ? 0 : 1]!]];
};

export const flatten = byFirst((shape, { node }) => {
  const axis = axisIn(intAttribute(node, 'axis') ?? 1, shape.length);
  return [product(shape.slice(0, axis)), product(shape.slice(axis))];
});

export const reshape = byFirst((shape, { node, inputs }) => {
  const wanted = intsAttribute(node, 'shape') ?? inputs[1]?.ints?.map(Number);
  if (!wanted) return undefined;
  const zeroCopies = intAttribute(node, 'allowzero') !== 1;
  const copied = (axis: number): boolean => wanted[axis] === 0 && zeroCopies;
  // What -1 stands for: the dimensions that are not copied, over the numbers that are asked for.
  const rest = shape.filter((_, axis) => !copied(axis));
  const asked = wanted.reduce((total, size) => (size > 0 ? total * size : total), 1);
  const numbers = rest.reduce<number>((total, dim) => (typeof dim === 'number' ? total * dim : total), 1);
  const symbols = rest.filter((dim) => typeof dim !== 'number');
  const left: Dim =
    symbols.length === 1 && numbers === asked
      ? symbols[0]!
      : derive(`rest${asked}`, rest, () => Math.floor(numbers / asked));
  return wanted.map((size, axis) => {
    if (size === -1) return left;
    return copied(axis) ? (shape[axis] ?? 1) : size;
  });
});

export const transpose = byFirst((shape, { node }) => {
  const order = intsAttribute(node, 'perm') ?? shape.map((_, axis) => shape.length - 1 - axis);
  const moved = order.map((axis) => shape[axis]);
  return moved.every((dim) => dim !== undefined) ? (moved as Shape) : undefined;
});

export const concat: ShapeRule = ({ node, inputs }) => {
  const shapes = inputs.map((input) => input?.shape);
  const first = shapes[0];
  if (!first || shapes.some((shape) => shape?.length !== first.length)) return [];
  const along = axisIn(intAttribute(node, 'axis') ?? 1, first.length);
  return [
    first.map((_, axis) => {
      const dims = shapes.map((shape) => shape![axis]!);
      if (axis === along) return derive('sum', dims, (sizes) => sizes.reduce((total, size) => total + size, 0));
      return dims.find((dim) => typeof dim === 'number') ?? dims[0]!;
    }),
  ];
};

export const gather: ShapeRule = (use) => {
  const data = shapeOf(use, 0);
  const indices = shapeOf(use, 1);
  if (!data || !indices) return [];
  const axis = axisIn(intAttribute(use.node, 'axis') ?? 0, data.length);
  return [[...data.slice(0, axis), ...indices, ...data.slice(axis + 1)]];
};

/** As many as there are indices. */
export const likeSecond: ShapeRule = (use) => [shapeOf(use, 1)];

export const squeeze = byFirst((shape, use) => {
  const axes = listOf(use, 'axes', 1);
  if (axes === undefined) return undefined;
  if (axes === 'absent') {
    return shape.every((dim) => typeof dim === 'number') ? shape.filter((dim) => dim !== 1) : undefined;
  }
  const gone = new Set(axes.map((axis) => axisIn(axis, shape.length)));
  return shape.filter((_, axis) => !gone.has(axis));
});

export const unsqueeze = byFirst((shape, use) => {
  const axes = listOf(use, 'axes', 1);
  if (axes === undefined || axes === 'absent') return undefined;
  const rest = [...shape];
  const total = shape.length + axes.length;
  const added = new Set(axes.map((axis) => axisIn(axis, total)));
  return Array.from({ length: total }, (_, axis) => (added.has(axis) ? 1 : (rest.shift() ?? 1)));
});

/** Axes that a slice touches keep a part of what they had; how much matters only where it is a number. */
export const slice = byFirst((shape, use) => {
  const starts = listOf(use, 'starts', 1);
  const ends = listOf(use, 'ends', 2);
  const axes = listOf(use, 'axes', 3);
  const steps = listOf(use, 'steps', 4);
  if (!Array.isArray(starts) || !Array.isArray(ends) || axes === undefined || steps === undefined) return undefined;
  const result = [...shape];
  starts.forEach((start, index) => {
    const axis = axisIn(axes === 'absent' ? index : axes[index]!, shape.length);
    const step = steps === 'absent' ? 1 : steps[index]!;
    const dim = result[axis];
    if (dim === undefined) return;
    const limit = (size: number, at: number): number => Math.min(Math.max(at < 0 ? at + size : at, 0), size);
    result[axis] = derive(`slice${start}:${ends[index]}:${step}`, [dim], ([size]) =>
      step > 0 ? Math.max(0, Math.ceil((limit(size!, ends[index]!) - limit(size!, start)) / step)) : size!,
    );
  });
  return result;
});

export const split: ShapeRule = (use) => {
  const shape = shapeOf(use, 0);
  const sizes = listOf(use, 'split', 1);
  if (!shape || sizes === undefined) return [];
  const along = axisIn(intAttribute(use.node, 'axis') ?? 0, shape.length);
  const parts = use.node.outputs.length;
  return use.node.outputs.map((_, part) =>
    shape.map((dim, axis) => {
      if (axis !== along) return dim;
      if (sizes !== 'absent') return sizes[part] ?? dim;
      return derive(`part${part}of${parts}`, [dim], ([size]) => Math.ceil(size! / parts));
    }),
  );
};

export const topK: ShapeRule = (use) => {
  const shape = shapeOf(use, 0);
  const k =
    intAttribute(use.node, 'k') ?? (use.inputs[1]?.ints === undefined ? undefined : Number(use.inputs[1].ints[0]));
  if (!shape || k === undefined) return [];
  const along = axisIn(intAttribute(use.node, 'axis') ?? -1, shape.length);
  const result = shape.map((dim, axis) => (axis === along ? k : dim));
  return [result, result];
};

/** Batch, channels of the weights, and whatever is left of the other axes. */
export const conv: ShapeRule = (use) => {
  const shape = shapeOf(use, 0);
  const channels = shapeOf(use, 1)?.[0];
  if (!shape || channels === undefined) return [];
  return [[shape[0]!, channels, ...spatial(use, shape, shapeOf(use, 1)!.slice(2))]];
};

export const pool: ShapeRule = (use) => {
  const shape = shapeOf(use, 0);
  const kernel = intsAttribute(use.node, 'kernel_shape');
  if (!shape || !kernel) return [];
  const result = [...shape.slice(0, 2), ...spatial(use, shape, kernel)];
  return use.node.outputs.map(() => result);
};

/** https://onnx.ai/onnx/operators/onnx__Conv.html and …MaxPool.html; with auto_pad the size stays a symbol. */
function spatial({ node }: Use, shape: Shape, kernel: Shape): Dim[] {
  const automatic = !['NOTSET', undefined].includes(node.attributes.get('auto_pad')?.text);
  const pads = intsAttribute(node, 'pads') ?? [];
  const strides = intsAttribute(node, 'strides') ?? [];
  const dilations = intsAttribute(node, 'dilations') ?? [];
  const round = intAttribute(node, 'ceil_mode') === 1 ? Math.ceil : Math.floor;
  const axes = shape.length - 2;
  return shape.slice(2).map((dim, axis) => {
    const pad = (pads[axis] ?? 0) + (pads[axis + axes] ?? 0);
    const stride = strides[axis] ?? 1;
    const reach = kernel[axis];
    if (automatic || typeof reach !== 'number') return derive(`window${axis}`, [dim], ([size]) => size!);
    const extent = (reach - 1) * (dilations[axis] ?? 1) + 1;
    return derive(`window${pad}:${extent}:${stride}`, [dim], ([size]) => round((size! + pad - extent) / stride) + 1);
  });
}

export const globalPool = byFirst((shape) => shape.map((dim, axis) => (axis < 2 ? dim : 1)));

export const expand: ShapeRule = (use) => {
  const shape = shapeOf(use, 0);
  const wanted = use.inputs[1]?.ints?.map(Number);
  return [shape && wanted && broadcast([shape, wanted])];
};

export const tile = byFirst((shape, { inputs }) => {
  const repeats = inputs[1]?.ints?.map(Number);
  if (repeats?.length !== shape.length) return undefined;
  return shape.map((dim, axis) =>
    repeats[axis] === 1 ? dim : derive(`times${repeats[axis]}`, [dim], ([size]) => size! * repeats[axis]!),
  );
});

export const constant: ShapeRule = ({ node }) => {
  for (const [name, attribute] of node.attributes) {
    if (attribute.tensor) return [attribute.tensor.dims.map(Number)];
    if (name.startsWith('value_')) return [attribute.count === undefined ? [] : [attribute.count]];
  }
  return [];
};

export const constantOfShape: ShapeRule = ({ inputs }) => [inputs[0]?.ints?.map(Number)];

/** Rows of the first input, and as many columns as `columns` says; of a vector, one row. */
export function table(columns: (use: Use) => number): ShapeRule {
  return byFirst((shape, use) => [shape.length > 1 ? shape[0]! : 1, columns(use)]);
}

/** A label for each row, and a score for each row and class. */
export const classifier: ShapeRule = (use) => {
  const shape = shapeOf(use, 0);
  if (!shape) return [];
  const rows = shape.length > 1 ? shape[0]! : 1;
  const classes = [...use.node.attributes].find(([name]) => name.startsWith('classlabels_'))?.[1].count ?? 1;
  return [[rows], [rows, classes]];
};

export const oneHot = byFirst((shape, { node }) => [
  ...shape,
  (node.attributes.get('cats_int64s') ?? node.attributes.get('cats_strings'))?.count ?? 1,
]);

/** Columns chosen by constant indices. */
export const columns: ShapeRule = (use) => {
  const shape = shapeOf(use, 0);
  const indices = shapeOf(use, 1);
  if (!shape || !indices) return [];
  return [[...(shape.length > 1 ? shape.slice(0, -1) : [1]), product(indices)]];
};
