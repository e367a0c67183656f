import { elementCode, elementOf } from './elements.ts';
import { type Fact, growsLinearly, intAttribute, neverEmpty, type Shape, type Use } from './facts.ts';
import type { RowRule } from './row-rules.ts';
import * as rowRules from './row-rules.ts';
import type { ShapeRule } from './shape-rules.ts';
import * as shapes from './shape-rules.ts';

/**
 * What is known of an operator. An operator stands here only if it always ends, takes memory in proportion to its inputs and
 * outputs, and crashes on no value: the kernels of onnxruntime 1.30.0 for the CPU were run on hostile values, shapes and
 * attributes (harmless.test.ts does it again for each row), and `harmless` names the cases that are not.
 *
 * Left out on purpose: loops and branches (If, Loop, Scan), recurrent layers (crash on zero rows), operators whose output
 * grows by values of the request (NonZero, Compress, Unique, Range, OneHot, Resize …), strings beyond looking them up, and
 * com.microsoft (CDist divides by zero).
 */
export interface Operator {
  domain: string;
  type: string;
  /** First and last opset of its domain that this row holds for. */
  since: number;
  until: number;
  shape: ShapeRule;
  /** Element types of the outputs: all as the first input has it, one for all, or one for each. */
  element: (use: Use) => (number | undefined)[];
  /** Whether this use is harmless, beyond what holds for every row: that no output grows faster than the request. */
  harmless?: (use: Use) => boolean;
  /** Outputs are never larger than the first input or than a constant factor of it, so their shapes need not be known. */
  bounded: boolean;
  /** Where the rows of a request are in the outputs; absent where they are mixed, or nobody looked. */
  rows?: RowRule;
}

type Part = Partial<Omit<Operator, 'domain' | 'type' | 'element'>> & { element?: Operator['element'] | string };

const { keeps, elementwise: together, table: perTableRow } = rowRules;

const ML = 'ai.onnx.ml';
/** Newest opsets that the rows were checked against; an operator of a newer one is looked at anew. */
const NEWEST: Record<string, number> = { '': 26, [ML]: 5 };

const sameElement: Operator['element'] = ({ node, inputs }) => node.outputs.map(() => inputs[0]?.element);

/** `float`, or `int64 float` for one output after the other. */
function elements(names: string): Operator['element'] {
  const codes = names.split(' ').map((name) => elementCode(name));
  return ({ node }) => node.outputs.map((_, index) => codes[index] ?? codes.at(-1));
}

function rows(domain: string, types: string, part: Part): Operator[] {
  const { element = sameElement, ...rest } = part;
  return types.split(' ').map((type) => ({
    domain,
    type,
    since: 1,
    until: NEWEST[domain]!,
    shape: shapes.same,
    bounded: true,
    ...rest,
    element: typeof element === 'string' ? elements(element) : element,
  }));
}

const input = (use: Use, index: number): Fact | undefined => use.inputs[index];
const fixed = (use: Use, index: number): boolean =>
  use.node.inputs[index] === undefined || input(use, index)?.constant === true;

function isFloat(fact: Fact | undefined): boolean {
  return ['float', 'double', 'float16'].includes(elementOf(fact?.element ?? 0)?.name ?? '');
}

const overFloats = (use: Use): boolean => isFloat(input(use, 0));

/** The smallest integer divided by -1 traps, and 1.30.0 does not check it; by any other constant it cannot happen. */
function divides(use: Use): boolean {
  if (overFloats(use)) return true;
  const divisors = input(use, 1)?.constant ? input(use, 1)?.ints : undefined;
  return divisors?.every((divisor) => divisor !== 0n && divisor !== -1n) ?? false;
}

/** Elements of a value that is made in the graph and written into it: those of a shape that is a constant. */
const constantArguments = (use: Use): boolean => use.node.inputs.every((_, index) => index === 0 || fixed(use, index));

function castTarget({ node }: Use): (number | undefined)[] {
  return [intAttribute(node, 'to')];
}

const noText = (use: Use): boolean => {
  const text = elementCode('string');
  return input(use, 0)?.element !== undefined && input(use, 0)?.element !== text && castTarget(use)[0] !== text;
};

function constantElement({ node }: Use): (number | undefined)[] {
  const [name, attribute] = [...node.attributes][0] ?? [];
  const named: Record<string, string> = {
    value_float: 'float',
    value_floats: 'float',
    value_int: 'int64',
    value_ints: 'int64',
    value_string: 'string',
    value_strings: 'string',
  };
  return [attribute?.tensor?.elementType ?? elementCode(named[name ?? ''] ?? '')];
}

/** Labels are text or integers, by the attribute that lists them. */
function labels({ node }: Use): number {
  return elementCode(
    [...node.attributes.keys()].some((name) => /^classlabels_(strings|string)/.test(name)) ? 'string' : 'int64',
  )!;
}

const encoded: Operator['element'] = ({ node }) => {
  const to = [...node.attributes].find(([name]) => name.startsWith('values_'));
  const named: Record<string, string> = { values_strings: 'string', values_int64s: 'int64', values_floats: 'float' };
  return [to?.[1].tensor?.elementType ?? elementCode(named[to?.[0] ?? ''] ?? '')];
};

const treesEnd = (use: Use): boolean => use.node.treesEnd === true;
const scores = (use: Use): number => intAttribute(use.node, 'n_targets') ?? 1;

const TABLE: readonly Operator[] = [
  ...rows(
    '',
    'Abs Acos Acosh Asin Asinh Atan Atanh Ceil Celu Cos Cosh Elu Erf Exp Floor Gelu HardSigmoid HardSwish Identity LeakyRelu ' +
      'Log Mish Neg Reciprocal Relu Round Selu Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Tan Tanh ThresholdedRelu ' +
      'Clip Swish',
    { rows: keeps },
  ),
  ...rows('', 'Hardmax LogSoftmax Softmax', { rows: rowRules.softmax }),
  ...rows('', 'LpNormalization', { rows: rowRules.along(-1) }),
  ...rows('', 'BatchNormalization', { rows: rowRules.batchNormalization }),
  ...rows('', 'LayerNormalization RMSNormalization', { rows: rowRules.layerNormalization }),
  ...rows('', 'GroupNormalization', { rows: rowRules.perRow }),
  ...rows('', 'MeanVarianceNormalization', { rows: rowRules.meanVariance }),
  ...rows('', 'Not IsInf IsNaN', { rows: keeps, element: 'bool' }),
  ...rows('', 'Add Sub Mul Max Min Sum Mean PRelu', { rows: together, shape: shapes.elementwise, bounded: false }),
  ...rows('', 'Div', { rows: together, shape: shapes.elementwise, bounded: false, harmless: divides }),
  ...rows('', 'Pow', { rows: together, shape: shapes.elementwise, bounded: false, harmless: overFloats }),
  // Floats are taken with fmod=1 alone, and the remainder of floats traps on nothing.
  ...rows('', 'Mod', { rows: together, shape: shapes.elementwise, bounded: false, harmless: divides }),
  ...rows('', 'Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor', {
    rows: together,
    shape: shapes.elementwise,
    bounded: false,
    element: 'bool',
  }),
  ...rows('', 'Where', {
    rows: together,
    shape: shapes.elementwise,
    bounded: false,
    element: (use) => [input(use, 1)?.element],
  }),
  ...rows('', 'Cast', { rows: keeps, element: castTarget, harmless: noText }),
  ...rows('', 'Dropout', {
    rows: rowRules.dropout,
    shape: shapes.sameAll,
    since: 7,
    element: (use) => [input(use, 0)?.element, elementCode('bool')],
  }),
  ...rows(
    '',
    'ReduceMax ReduceMin ReduceMean ReduceSum ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare',
    { rows: rowRules.reduce, shape: shapes.reduce },
  ),
  ...rows('', 'ArgMax ArgMin', { rows: rowRules.argReduce, shape: shapes.argReduce, element: 'int64' }),
  // Sorting an empty axis divides by zero.
  ...rows('', 'TopK', {
    rows: rowRules.along(-1),
    shape: shapes.topK,
    element: (use) => [input(use, 0)?.element, elementCode('int64')],
    harmless: (use) => neverEmpty(input(use, 0)),
  }),
  ...rows('', 'CumSum', { rows: rowRules.cumulative, harmless: constantArguments }),
  ...rows('', 'MatMul', { rows: rowRules.matMul, shape: shapes.matMul, bounded: false }),
  ...rows('', 'Gemm', { rows: rowRules.gemm, shape: shapes.gemm, bounded: false }),
  ...rows('', 'Conv', { rows: rowRules.perRow, shape: shapes.conv, harmless: constantArguments }),
  ...rows('', 'MaxPool', {
    rows: rowRules.pool,
    shape: shapes.pool,
    element: (use) => [input(use, 0)?.element, elementCode('int64')],
  }),
  ...rows('', 'AveragePool', { rows: rowRules.pool, shape: shapes.pool }),
  ...rows('', 'GlobalAveragePool GlobalMaxPool', { rows: rowRules.perRow, shape: shapes.globalPool }),
  ...rows('', 'Flatten', { rows: rowRules.flatten, shape: shapes.flatten }),
  ...rows('', 'Reshape', { rows: rowRules.reshape(shapes.reshape), shape: shapes.reshape }),
  ...rows('', 'Transpose', { rows: rowRules.transpose, shape: shapes.transpose }),
  ...rows('', 'Squeeze', { rows: rowRules.squeeze, shape: shapes.squeeze }),
  ...rows('', 'Unsqueeze', { rows: rowRules.unsqueeze, shape: shapes.unsqueeze }),
  ...rows('', 'Concat', { rows: rowRules.concat, shape: shapes.concat }),
  ...rows('', 'Slice', { rows: rowRules.slice, shape: shapes.slice }),
  ...rows('', 'Split', { rows: rowRules.along(0), shape: shapes.split, element: sameElement }),
  ...rows('', 'Gather', { rows: rowRules.gather, shape: shapes.gather, bounded: false }),
  ...rows('', 'GatherElements', { rows: rowRules.gatherElements, shape: shapes.likeSecond, since: 11 }),
  ...rows('', 'Expand', { rows: rowRules.expand, shape: shapes.expand, harmless: constantArguments }),
  ...rows('', 'Tile', { rows: rowRules.tile, shape: shapes.tile, since: 6, harmless: constantArguments }),
  ...rows('', 'Shape', { shape: shapes.rank, element: 'int64' }),
  ...rows('', 'Size', { shape: shapes.scalar, element: 'int64' }),
  ...rows('', 'Constant', { shape: shapes.constant, element: constantElement }),
  ...rows('', 'ConstantOfShape', {
    shape: shapes.constantOfShape,
    element: ({ node }) => [node.attributes.get('value')?.tensor?.elementType ?? elementCode('float')],
    harmless: (use) => fixed(use, 0),
  }),
  ...rows('', 'QuantizeLinear', {
    rows: rowRules.quantize,
    element: (use) => [input(use, 2)?.element ?? elementCode('uint8')],
    harmless: constantArguments,
  }),
  ...rows('', 'DequantizeLinear', {
    rows: rowRules.quantize,
    element: (use) => [input(use, 1)?.element],
    harmless: constantArguments,
  }),
  ...rows('', 'DynamicQuantizeLinear', {
    shape: ({ inputs }) => [inputs[0]?.shape, [], []],
    element: 'uint8 float uint8',
  }),
  ...rows('', 'MatMulInteger', {
    rows: rowRules.matMulInteger,
    shape: shapes.matMul,
    bounded: false,
    element: 'int32',
  }),

  ...rows(ML, 'TreeEnsembleRegressor', {
    rows: perTableRow,
    shape: shapes.table(scores),
    element: 'float',
    harmless: treesEnd,
  }),
  ...rows(ML, 'TreeEnsembleClassifier', {
    rows: perTableRow,
    shape: shapes.classifier,
    element: (use) => [labels(use), elementCode('float')],
    harmless: treesEnd,
  }),
  ...rows(ML, 'LinearRegressor', {
    rows: perTableRow,
    shape: shapes.table(({ node }) => intAttribute(node, 'targets') ?? 1),
    element: 'float',
  }),
  ...rows(ML, 'LinearClassifier SVMClassifier', {
    rows: perTableRow,
    shape: shapes.classifier,
    element: (use) => [labels(use), elementCode('float')],
  }),
  ...rows(ML, 'SVMRegressor', { rows: perTableRow, shape: shapes.table(() => 1), element: 'float' }),
  ...rows(ML, 'Scaler Normalizer', { rows: perTableRow, element: 'float' }),
  ...rows(ML, 'Imputer Binarizer', { rows: perTableRow }),
  ...rows(ML, 'LabelEncoder', { rows: keeps, element: encoded }),
  ...rows(ML, 'OneHotEncoder', { rows: keeps, shape: shapes.oneHot, element: 'float' }),
  ...rows(ML, 'ArrayFeatureExtractor', {
    rows: rowRules.columns,
    shape: shapes.columns,
    harmless: (use) => fixed(use, 1),
  }),
  ...rows(ML, 'ZipMap', { shape: shapes.unknown, element: () => [] }),
];

const BY_NAME = new Map(TABLE.map((row) => [`${row.domain}:${row.type}`, row]));

/** All rows, for tests that try each on the runtime. */
export const OPERATORS: readonly Operator[] = TABLE;

/** The row of an operator in that opset of its domain; undefined where it is not known to be harmless. */
export function operatorOf(domain: string, type: string, opset: number): Operator | undefined {
  const row = BY_NAME.get(`${domain}:${type}`);
  return row && opset >= row.since && opset <= row.until ? row : undefined;
}

/** Whether a use of an operator is harmless, given what is known of its inputs. */
export function isHarmless(row: Operator, use: Use): boolean {
  if (row.harmless && !row.harmless(use)) return false;
  return row.bounded || outgrowsNothing(row, use);
}

/** With one operand that a request can change, the output is at most a constant times it; with several, its shape must tell. */
function outgrowsNothing(row: Operator, use: Use): boolean {
  const changing = use.node.inputs.filter((name, index) => name !== '' && !fixed(use, index));
  if (changing.length <= 1) return true;
  const [shape]: (Shape | undefined)[] = row.shape(use);
  return shape !== undefined && growsLinearly(shape);
}
