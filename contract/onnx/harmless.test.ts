import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { sharedModels } from '../../tests/shared.ts';
import { type EncodeModel, type EncodeNode, encodeModel } from './encode.ts';
import { unprovedOperators } from './harmless.ts';
import { readHeadOfBytes } from './head.ts';
import { OPERATORS } from './operators.ts';
import { allocation, functionTower, integerDivision, linearModel, loopByRequest, nestedIfs } from './testing/models.ts';

function unprovedOf(bytes: Uint8Array): string[] {
  const result = readHeadOfBytes(bytes);
  if (!result.ok) throw new Error(result.refusals[0]!.message);
  return unprovedOperators(result.head);
}

it('every operator of the table answers or fails on hostile values, and none ends the process', async () => {
  const program = fileURLToPath(new URL('testing/hostile.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 110_000 });
  const tallies = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  expect(tallies.map(([name]) => name)).toEqual(OPERATORS.map(({ domain, type }) => `${domain}:${type}`));
  expect(tallies.filter(([, answers]) => Number(answers) === 0)).toEqual([]);
}, 120_000);

it.each([
  ['a linear model', linearModel(), []],
  ['a loop, though what it repeats is harmless', loopByRequest(), ['ai.onnx:Loop']],
  ['branches', nestedIfs(3), ['ai.onnx:If']],
  ['memory by a value of the request', allocation(), ['ai.onnx:ConstantOfShape']],
  ['integer division', integerDivision(), ['ai.onnx:Div']],
  ['functions of harmless operators', functionTower({ depth: 3, calls: 2 }), []],
])('%s', (_, bytes, unproved) => expect(unprovedOf(bytes)).toEqual(unproved));

/** A graph over the FP32 inputs x [N,M], v [N] and the INT64 input i [K]. */
function graph(nodes: EncodeNode[], part: Partial<EncodeModel> = {}): string[] {
  const last = nodes.at(-1)!.outputs[0]!;
  return unprovedOf(
    encodeModel({
      opsets: { '': 15, 'ai.onnx.ml': 3, 'com.microsoft': 1, 'com.example': 1 },
      inputs: [
        { name: 'x', type: 'float', dims: ['N', 'M'] },
        { name: 'v', type: 'float', dims: ['N'] },
        { name: 'i', type: 'int64', dims: ['K'] },
      ],
      outputs: [{ name: last }],
      nodes,
      ...part,
      initializers: [
        { name: 'two', type: 'int64', dims: [1], data: [2] },
        { name: 'minus', type: 'int64', dims: [1], data: [-1] },
        { name: 'first', type: 'int64', dims: [1], data: [0] },
        { name: 'w', type: 'float', dims: [8, 8], data: new Array(64).fill(1) },
        ...(part.initializers ?? []),
      ],
    }),
  );
}

const node = (type: string, inputs: string[], output: string, rest: Partial<EncodeNode> = {}): EncodeNode => ({
  type,
  inputs,
  outputs: [output],
  ...rest,
});

describe('integer division', () => {
  it.each(['Div', 'Mod'])('%s by a constant that cannot overflow', (type) => {
    expect(graph([node(type, ['i', 'two'], 'y')])).toEqual([]);
    expect(graph([node(type, ['i', 'minus'], 'y')])).toEqual([`ai.onnx:${type}`]);
    expect(graph([node(type, ['i', 'i'], 'y')])).toEqual([`ai.onnx:${type}`]);
  });

  it('of floats is harmless, of what was cast to integers it is not', () => {
    expect(graph([node('Div', ['v', 'v'], 'y')])).toEqual([]);
    const cast = node('Cast', ['v'], 'c', { attributes: { to: { int: 7 } } });
    expect(graph([cast, node('Div', ['c', 'i'], 'y')])).toEqual(['ai.onnx:Div']);
  });

  it('behind an operator that is not known is not proved', () =>
    expect(graph([node('Gelu', ['v'], 'g', { domain: 'com.microsoft' }), node('Div', ['g', 'v'], 'y')])).toEqual([
      'ai.onnx:Div',
      'com.microsoft:Gelu',
    ]));
});

describe('growth', () => {
  const column = node('Unsqueeze', ['v', 'one'], 'column');
  const row = node('Unsqueeze', ['v', 'first'], 'row');
  const one = { initializers: [{ name: 'one', type: 'int64' as const, dims: [1], data: [1] }] };

  it('of each vector against each other is quadratic', () => {
    expect(graph([column, row, node('Sub', ['column', 'row'], 'y')], one)).toEqual(['ai.onnx:Sub']);
    expect(graph([column, row, node('MatMul', ['column', 'row'], 'y')], one)).toEqual(['ai.onnx:MatMul']);
  });

  it('of a value and what was made from it is not', () =>
    expect(graph([node('Sigmoid', ['x'], 's'), node('Mul', ['x', 's'], 'y')])).toEqual([]));

  it('of a mean taken off is not', () => {
    const mean = node('ReduceMean', ['x'], 'm', { attributes: { axes: { ints: [1] } } });
    expect(graph([mean, node('Sub', ['x', 'm'], 'y')])).toEqual([]);
  });

  it('of two inputs whose free dimensions need not agree is', () =>
    expect(
      graph([node('Add', ['x', 'i2'], 'y')], {
        inputs: [
          { name: 'x', type: 'float', dims: ['N', 'M'] },
          { name: 'i2', type: 'float', dims: ['N', 'M'] },
        ],
      }),
    ).toEqual(['ai.onnx:Add']));

  it('by constants is a constant factor', () => {
    expect(graph([node('MatMul', ['x', 'w'], 'a'), node('Add', ['a', 'w'], 'y')])).toEqual([]);
    expect(
      graph([node('Expand', ['v', 'shape'], 'y')], {
        initializers: [{ name: 'shape', type: 'int64', dims: [2], data: [9, 1] }],
      }),
    ).toEqual([]);
    expect(graph([node('Expand', ['v', 'i'], 'y')])).toEqual(['ai.onnx:Expand']);
    expect(graph([node('Tile', ['v', 'i'], 'y')])).toEqual(['ai.onnx:Tile']);
  });

  it('through many joins is followed without growing itself', () => {
    const joins = Array.from({ length: 200 }, (_, step) =>
      node('Concat', [`c${step}`, `c${step}`], `c${step + 1}`, { attributes: { axis: { int: 0 } } }),
    );
    expect(graph([node('Neg', ['v'], 'c0'), ...joins])).toEqual([]);
  });
});

describe('empty tensors', () => {
  it('never reach a sort', () => {
    const top = node('TopK', ['part', 'two'], 'y');
    const cut = (input: string): EncodeNode => node('Slice', [input, 'two', 'end'], 'part');
    const end = { initializers: [{ name: 'end', type: 'int64' as const, dims: [1], data: [9] }] };
    expect(graph([node('Neg', ['v'], 'part'), top])).toEqual([]);
    expect(graph([cut('v'), top], end)).toEqual(['ai.onnx:TopK']);
  });
});

describe('trees', () => {
  const trees = (children: [number[], number[]], modes: string[]): string[] => {
    const ids = modes.map((_, index) => index);
    const zeros = ids.map(() => 0);
    return graph([
      node('TreeEnsembleRegressor', ['x'], 'y', {
        domain: 'ai.onnx.ml',
        attributes: {
          nodes_treeids: { ints: zeros },
          nodes_nodeids: { ints: ids },
          nodes_truenodeids: { ints: children[0] },
          nodes_falsenodeids: { ints: children[1] },
          nodes_featureids: { ints: zeros },
          nodes_modes: { strings: modes },
          nodes_values: { floats: zeros },
          target_treeids: { ints: [0] },
          target_nodeids: { ints: [1] },
          target_ids: { ints: [0] },
          target_weights: { floats: [1] },
        },
      }),
    ]);
  };
  const [B, L] = ['BRANCH_LEQ', 'LEAF'];

  it('whose children come after their parents end', () => {
    expect(
      trees(
        [
          [1, 0, 0],
          [2, 0, 0],
        ],
        [B, L, L],
      ),
    ).toEqual([]);
    expect(
      trees(
        [
          [2, 0, 0],
          [1, 0, 0],
        ],
        [B, L, L],
      ),
    ).toEqual([]);
  });

  it.each([
    [
      'a branch goes back',
      [
        [1, 0, 0],
        [2, 0, 0],
      ],
      [B, B, L],
    ],
    [
      'a list is short',
      [
        [1, 0],
        [2, 0, 0],
      ],
      [B, L, L],
    ],
    ['there are no nodes', [[], []], []],
    [
      'an id is beyond 32 bits',
      [
        [1, 0, 2 ** 40],
        [2, 0, 0],
      ],
      [B, L, L],
    ],
  ] as [string, [number[], number[]], string[]][])('may not where %s', (_, children, modes) =>
    expect(trees(children, modes)).toEqual(['ai.onnx.ml:TreeEnsembleRegressor']),
  );
});

it('holds no operator of a newer opset harmless', () => {
  const relu = (version: number): string[] => graph([node('Relu', ['v'], 'y')], { opsets: { '': version } });
  expect(relu(26)).toEqual([]);
  expect(relu(27)).toEqual(['ai.onnx:Relu']);
});

it('names operators of domains that no one knows', () =>
  expect(graph([node('Swish7', ['v'], 'y', { domain: 'com.example' })])).toEqual(['com.example:Swish7']));

it('looks into functions, also into one that takes the name of an operator', () => {
  const loops = graph([node('Relu', ['v'], 'y')], {
    functions: [{ domain: '', name: 'Relu', inputs: ['a'], outputs: ['b'], nodes: [node('NonZero', ['a'], 'b')] }],
  });
  expect(loops).toEqual(['ai.onnx:NonZero']);
});

describe.skipIf(!sharedModels)('real exports (left out without ../shared)', () => {
  const UNPROVED: Record<string, string[]> = {
    'tickets-tfidf': ['ai.onnx:TfIdfVectorizer', 'com.microsoft:Tokenizer'],
    'waves-gru': ['ai.onnx:ConstantOfShape', 'ai.onnx:GRU'],
    // Within the body of the loop nothing is known of shapes.
    'collatz-loop': ['Add', 'Cast', 'Div', 'Equal', 'Greater', 'Loop', 'Mod', 'Mul', 'Where'].map(
      (type) => `ai.onnx:${type}`,
    ),
    'pair-distance': ['ai.onnx:Sub'],
  };
  it.each(sharedModels?.good ?? [])('$name', async ({ name, dir }) => {
    const { readFile } = await import('node:fs/promises');
    expect(unprovedOf(await readFile(`${sharedModels!.dir}/${dir}/model.onnx`))).toEqual(UNPROVED[name] ?? []);
  });
});
