import { RUNTIME } from '../../runtime.ts';
import { type ElementName, type EncodeAttribute, type EncodeNode, type EncodeTensor, encodeModel } from '../encode.ts';
import { OPERATORS } from '../operators.ts';

/** How a use of an operator is made, to be tried on the runtime. */
export interface Recipe {
  /** Element types of the inputs that a request gives; each is tried, those without a kernel are skipped. */
  types?: readonly ElementName[];
  /** Shapes of these inputs, one list for each try. */
  shapes?: readonly (readonly (readonly number[])[])[];
  constants?: readonly Omit<EncodeTensor, 'name'>[];
  attributes?: Readonly<Record<string, EncodeAttribute>>;
  /** Number of outputs. */
  outputs?: number;
  /** Input types that differ from the first. */
  second?: ElementName;
  /** First opset of the operator, if it is young. Every recipe is tried with that and with the newest. */
  opset?: number;
  mlOpset?: number;
  /** The table demands that it never meets an empty tensor, so none is tried. */
  full?: boolean;
  /** The outputs are no tensors and cannot be asked for; the input is given back beside them, so that there is something to run. */
  beside?: boolean;
}

export const NUMBERS: readonly ElementName[] = [
  'float',
  'double',
  'int64',
  'bool',
  'float16',
  'int32',
  'int8',
  'uint8',
  'uint64',
  'int16',
];
export const ONE = [[[2, 6]], [[1, 1]], [[7]], [[]], [[0, 6]], [[2, 0]], [[2, 3, 4]], [[1, 2, 4, 4]]];
const TWO = [
  [[144], [144]],
  [
    [2, 6],
    [2, 6],
  ],
  [
    [4, 1],
    [1, 4],
  ],
  [[2, 6], []],
  [
    [0, 6],
    [0, 6],
  ],
  [[0], [1]],
  [[3], [4]],
];
const MATRICES = [
  [
    [2, 3],
    [3, 2],
  ],
  [
    [0, 3],
    [3, 2],
  ],
  [
    [2, 0],
    [0, 2],
  ],
  [
    [2, 3],
    [4, 2],
  ],
  [[3], [3]],
  [
    [2, 2, 3],
    [3, 2],
  ],
];
const IMAGES = [
  [[1, 2, 8, 8]],
  [[0, 2, 8, 8]],
  [[1, 2, 1, 1]],
  [[1, 2, 0, 8]],
  [[2, 2, 3, 9]],
  [[1, 3, 8, 8]],
  [[2, 8]],
];
const ROWS = [[[2, 3]], [[1, 3]], [[0, 3]], [[2, 0]], [[3]], [[2, 5]], [[2, 1]], [[]]];

const binary: Recipe = { shapes: TWO };
const ints = (data: readonly number[], dims = [data.length]): Omit<EncodeTensor, 'name'> => ({
  type: 'int64',
  dims,
  data,
});
const floats = (count: number, dims: readonly number[] = [count]): Omit<EncodeTensor, 'name'> => ({
  type: 'float',
  dims,
  data: Array.from({ length: count }, (_, index) => index - 1.5),
});
const list = (values: readonly number[]): EncodeAttribute => ({ ints: values });
const reals = (values: readonly number[]): EncodeAttribute => ({ floats: values });

const TREES: Record<string, EncodeAttribute> = {
  nodes_treeids: list([0, 0, 0]),
  nodes_nodeids: list([0, 1, 2]),
  nodes_truenodeids: list([1, 0, 0]),
  nodes_falsenodeids: list([2, 0, 0]),
  nodes_featureids: list([1, 0, 0]),
  nodes_modes: { strings: ['BRANCH_LEQ', 'LEAF', 'LEAF'] },
  nodes_values: reals([0.5, 0, 0]),
};
const SUPPORT: Record<string, EncodeAttribute> = {
  kernel_type: { string: 'RBF' },
  kernel_params: reals([0.5, 0, 3]),
  coefficients: reals([1, -1]),
  support_vectors: reals([1, 2, 3, 4, 5, 6]),
  rho: reals([0.1]),
};

/** By operator type; an operator without an entry takes one input of any number type. */
const RECIPES: Record<string, readonly Recipe[]> = {
  ...Object.fromEntries(
    'Add Sub Mul Max Min Sum Mean Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor PRelu Pow'
      .split(' ')
      .map((type) => [type, [binary]]),
  ),
  ...Object.fromEntries(
    OPERATORS.filter(({ type }) => type.startsWith('Reduce')).map(({ type }) => [
      type,
      [
        {},
        ...[[0], [1], [-1], [0, 1], [99]].map((axes) => ({ attributes: { axes: list(axes), keepdims: { int: 0 } } })),
      ],
    ]),
  ),
  ...Object.fromEntries(
    ['ArgMax', 'ArgMin'].map((type) => [type, [0, 1, -1, 99].map((axis) => ({ attributes: { axis: { int: axis } } }))]),
  ),
  // Integers only by constants that are neither 0 nor -1: all others are not held harmless.
  Div: [
    { ...binary, types: ['float', 'double', 'float16'] },
    { types: ['int32', 'int64', 'int8'], constants: [ints([-2, 3, 5, 7, 9, 11])] },
    { types: ['int64'], constants: [ints([-9007199254740991], [])] },
  ],
  Mod: [
    { ...binary, types: ['float', 'double'], attributes: { fmod: { int: 1 } } },
    { types: ['int64'], constants: [ints([-2, 3, 5, 7, 9, 11])] },
  ],
  Where: [{ types: ['bool'], constants: [floats(6), floats(1)] }],
  Cast: [1, 2, 6, 7, 9, 10].map((to) => ({ attributes: { to: { int: to } } })),
  Clip: [
    {},
    {
      types: ['float'],
      constants: [
        { type: 'float', dims: [], data: [5] },
        { type: 'float', dims: [], data: [-5] },
      ],
    },
  ],
  BatchNormalization: [{ shapes: IMAGES, constants: [floats(2), floats(2), floats(2), floats(2)] }],
  LayerNormalization: [{ constants: [floats(6)], opset: 17 }],
  RMSNormalization: [{ constants: [floats(6)], opset: 23 }],
  GroupNormalization: [
    { shapes: IMAGES, constants: [floats(2), floats(2)], attributes: { num_groups: { int: 2 } }, opset: 21 },
  ],
  Gelu: [{ opset: 20 }],
  Mish: [{ opset: 18 }],
  Swish: [{ opset: 24 }],
  CumSum: [{ constants: [ints([0], [])] }, { constants: [ints([99], [])] }, { constants: [ints([-1], [])] }],
  MatMul: [{ shapes: MATRICES }],
  Gemm: [{ shapes: MATRICES, constants: [floats(2)] }],
  MatMulInteger: [{ types: ['uint8', 'int8'], shapes: MATRICES }],
  Conv: [
    { shapes: IMAGES, constants: [floats(36, [2, 2, 3, 3]), floats(2)] },
    { shapes: IMAGES, constants: [floats(36, [2, 2, 3, 3])], attributes: { auto_pad: { string: 'SAME_UPPER' } } },
    {
      shapes: IMAGES,
      constants: [floats(36, [2, 2, 3, 3])],
      attributes: { pads: list([9, 9, 9, 9]), strides: list([5, 5]) },
    },
  ],
  MaxPool: [
    { shapes: IMAGES, attributes: { kernel_shape: list([3, 3]) }, outputs: 2 },
    {
      shapes: IMAGES,
      attributes: {
        kernel_shape: list([2, 2]),
        pads: list([1, 1, 1, 1]),
        ceil_mode: { int: 1 },
        strides: list([3, 3]),
      },
    },
  ],
  AveragePool: [
    { shapes: IMAGES, attributes: { kernel_shape: list([3, 3]) } },
    {
      shapes: IMAGES,
      attributes: { kernel_shape: list([3, 3]), pads: list([2, 2, 2, 2]), count_include_pad: { int: 0 } },
    },
  ],
  GlobalAveragePool: [{ shapes: IMAGES }],
  GlobalMaxPool: [{ shapes: IMAGES }],
  Reshape: [
    { constants: [ints([3, -1])] },
    { constants: [ints([0, 2, -1])] },
    {
      types: ['int64'],
      shapes: [
        [[2], [2]],
        [[6], [2]],
        [[0], [2]],
      ],
    },
  ],
  Transpose: [{}, { attributes: { perm: list([1, 0]) } }],
  Squeeze: [{}, { constants: [ints([0])] }, { constants: [ints([9])] }],
  Unsqueeze: [{ constants: [ints([0, 1])] }, { constants: [ints([9])] }],
  Concat: [{ ...binary, attributes: { axis: { int: 0 } } }],
  Slice: [
    { constants: [ints([1]), ints([3])] },
    { constants: [ints([-9]), ints([9]), ints([0]), ints([-2])] },
    {
      types: ['int64'],
      shapes: [
        [[6], [1], [1]],
        [[0], [1], [1]],
        [[6], [2], [1]],
      ],
    },
  ],
  Split: [{ outputs: 2 }, { constants: [ints([1, 1])], outputs: 2 }],
  Gather: [
    {
      types: ['float', 'string'],
      second: 'int64',
      shapes: [
        [[6], [3]],
        [
          [2, 6],
          [3, 2],
        ],
        [[0], [3]],
        [[6], [0]],
      ],
    },
    { constants: [ints([1, -1])] },
    { constants: [ints([99])] },
  ],
  GatherElements: [{ types: ['float'], second: 'int64', shapes: TWO }],
  Expand: [{ constants: [ints([2, 3, 1, 1])] }],
  Tile: [{ constants: [ints([2, 3])] }, { constants: [ints([0, 1])] }, { constants: [ints([-1, 1])] }],
  ConstantOfShape: [
    { types: [], constants: [ints([2, 3])] },
    { types: [], constants: [ints([0])] },
  ],
  Constant: [{ types: [], attributes: { value_floats: reals([1, 2]) } }],
  TopK: [[2], [0], [-1], [99]].map((k) => ({ constants: [ints(k)], outputs: 2, full: true })),
  Dropout: [{ outputs: 2 }],
  QuantizeLinear: [
    { constants: [floats(1, [])] },
    { constants: [floats(1, []), { type: 'int8', dims: [], data: [3] }] },
  ],
  DequantizeLinear: [{ types: ['uint8', 'int8', 'int32'], constants: [floats(1, [])] }],
  DynamicQuantizeLinear: [{ outputs: 3 }],
  LpNormalization: [{}, { attributes: { p: { int: 1 }, axis: { int: 0 } } }],
  TreeEnsembleRegressor: [
    {
      shapes: ROWS,
      attributes: {
        ...TREES,
        target_treeids: list([0, 0]),
        target_nodeids: list([1, 2]),
        target_ids: list([0, 0]),
        target_weights: reals([1, 2]),
        n_targets: { int: 1 },
      },
    },
  ],
  TreeEnsembleClassifier: [
    {
      shapes: ROWS,
      attributes: {
        ...TREES,
        class_treeids: list([0, 0]),
        class_nodeids: list([1, 2]),
        class_ids: list([0, 1]),
        class_weights: reals([1, 2]),
        classlabels_int64s: list([0, 1]),
      },
      outputs: 2,
    },
  ],
  LinearRegressor: [{ shapes: ROWS, attributes: { coefficients: reals([1, 2, 3]), intercepts: reals([1]) } }],
  LinearClassifier: [
    {
      shapes: ROWS,
      attributes: {
        coefficients: reals([1, 2, 3, 4, 5, 6]),
        intercepts: reals([1, 2]),
        classlabels_ints: list([0, 1]),
      },
      outputs: 2,
    },
  ],
  SVMRegressor: [
    { shapes: ROWS, attributes: { ...SUPPORT, n_supports: { int: 2 } } },
    { shapes: ROWS, attributes: { ...SUPPORT, n_supports: { int: 2 }, kernel_type: { string: 'POLY' } } },
  ],
  SVMClassifier: [
    {
      shapes: ROWS,
      attributes: { ...SUPPORT, vectors_per_class: list([1, 1]), classlabels_ints: list([0, 1]) },
      outputs: 2,
    },
    {
      shapes: ROWS,
      attributes: {
        ...SUPPORT,
        vectors_per_class: list([1, 1]),
        classlabels_ints: list([0, 1]),
        prob_a: reals([1]),
        prob_b: reals([1]),
      },
      outputs: 2,
    },
  ],
  Scaler: [{ shapes: ROWS, attributes: { offset: reals([1, 2, 3]), scale: reals([1, 0, 3]) } }],
  Normalizer: ['MAX', 'L1', 'L2'].map((norm) => ({ shapes: ROWS, attributes: { norm: { string: norm } } })),
  Imputer: [
    {
      shapes: ROWS,
      attributes: { imputed_value_floats: reals([1, 2, 3]), replaced_value_float: { float: Number.NaN } },
    },
  ],
  Binarizer: [{ shapes: ROWS, attributes: { threshold: { float: 1 } } }],
  LabelEncoder: [
    { types: ['int64'], attributes: { keys_int64s: list([0, 1]), values_floats: reals([1, 2]) } },
    { types: ['string'], attributes: { keys_strings: { strings: ['a', 'b'] }, values_int64s: list([1, 2]) } },
    { types: ['float'], attributes: { keys_floats: reals([0, Number.NaN]), values_strings: { strings: ['a', 'b'] } } },
  ],
  OneHotEncoder: [
    { attributes: { cats_int64s: list([0, 1]), zeros: { int: 1 } } },
    { attributes: { cats_int64s: list([0, 1]), zeros: { int: 0 } } },
    { types: ['string'], attributes: { cats_strings: { strings: ['a', 'b'] }, zeros: { int: 1 } } },
  ],
  ArrayFeatureExtractor: [
    { shapes: ROWS, constants: [ints([2, 0])] },
    { shapes: ROWS, constants: [ints([-1])] },
  ],
  ZipMap: [{ beside: true, types: ['float'], shapes: ROWS, attributes: { classlabels_int64s: list([1, 2, 3]) } }],
};

/** All recipes of an operator, each with the opsets that it was written for and with the newest ones. */
export function recipesOf(type: string): Recipe[] {
  return (RECIPES[type] ?? [{}]).flatMap((recipe) => [
    { ...recipe, opset: recipe.opset ?? ('axes' in (recipe.attributes ?? {}) ? 12 : 15) },
    { ...recipe, opset: RUNTIME.opsets.get('')!, mlOpset: RUNTIME.opsets.get('ai.onnx.ml')! },
  ]);
}

/** A model of one node whose inputs a request gives, of that element type and these ranks. */
export function modelOf(
  type: string,
  domain: string,
  recipe: Recipe,
  element: ElementName | undefined,
  ranks: readonly number[],
): Uint8Array {
  const { constants = [], attributes = {}, outputs = 1, second, opset = 15, beside } = recipe;
  const requests = ranks.map((rank, index) => ({
    name: `i${index}`,
    type: (index > 0 && second) || element!,
    dims: Array.from({ length: rank }, () => null),
  }));
  const initializers = constants.map((tensor, index) => ({
    ...tensor,
    name: `c${index}`,
    // Integers by constants are of the type that is divided.
    ...((type === 'Div' || type === 'Mod') && element ? { type: element } : {}),
  }));
  const node: EncodeNode = {
    type,
    domain,
    inputs: [...requests, ...initializers].map(({ name }) => name),
    outputs: Array.from({ length: outputs }, (_, index) => `o${index}`),
    attributes,
  };
  return encodeModel({
    irVersion: 10,
    opsets: { '': opset, 'ai.onnx.ml': recipe.mlOpset ?? 3 },
    inputs: requests,
    outputs: [...node.outputs, ...(beside ? ['same'] : [])].map((name) => ({ name })),
    nodes: [node, ...(beside ? [{ type: 'Identity', inputs: ['i0'], outputs: ['same'] }] : [])],
    initializers,
  });
}
