import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseJson } from '../../contract/json.ts';
import { encodeModel } from '../../contract/onnx/encode.ts';
import { linearModel } from '../../contract/onnx/testing/models.ts';

/** A model and one request for it: one row, as JSON of the Open Inference Protocol. */
export interface BenchModel {
  name: string;
  bytes: Uint8Array;
  input: string;
  output: string;
  columns: number;
  /** Elements of an answer. */
  answers: number;
  body: string;
}

function requestOf(input: string, data: readonly number[]): string {
  return JSON.stringify({ inputs: [{ name: input, shape: [1, data.length], datatype: 'FP32', data }] });
}

/** Of the real models that may lie beside a clone, what is read here. */
interface SharedCases {
  good: {
    name: string;
    dir: string;
    signature: { inputs: { name: string }[]; outputs: { name: string }[] };
    cases: { request: { inputs: { data: unknown[] }[] } }[];
  }[];
}

/** From this file in a clone, and from the bundle. */
const SHARED = new URL(
  import.meta.url.endsWith('.ts') ? '../../../shared/models/' : '../../shared/models/',
  import.meta.url,
);

/** A gradient boosted ensemble of 100 trees over 12 features, from the shared models; undefined where they are not here. */
export function gbdt(): BenchModel | undefined {
  const file = fileURLToPath(new URL('cases.json', SHARED));
  if (!existsSync(file)) return undefined;
  const { good } = parseJson(readFileSync(file, 'utf8')) as SharedCases;
  const found = good.find(({ name }) => name === 'bike-gbdt');
  if (!found) return undefined;
  const [input] = found.signature.inputs;
  const data = (found.cases[0]!.request.inputs[0]!.data.flat() as unknown[]).slice(0, 12).map(Number);
  return {
    name: 'gbdt',
    bytes: readFileSync(new URL(`${found.dir}/model.onnx`, SHARED)),
    input: input!.name,
    output: found.signature.outputs[0]!.name,
    columns: 12,
    answers: 1,
    body: requestOf(
      input!.name,
      data.map((value) => (Number.isFinite(value) ? value : 0)),
    ),
  };
}

const WIDTHS = [512, 2048, 2048, 10] as const;

/** A perceptron 512-2048-2048-10 with ReLU; its weights follow a fixed sequence. */
export function mlp(): BenchModel {
  let seed = 1;
  const weights = (count: number, scale: number): Uint8Array => {
    const values = Float32Array.from({ length: count }, () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return (seed / 2 ** 32 - 0.5) * scale;
    });
    return new Uint8Array(values.buffer);
  };
  const layers = WIDTHS.slice(1).map((width, index) => ({ from: WIDTHS[index]!, width, index }));
  const last = layers.length - 1;
  const bytes = encodeModel({
    inputs: [{ name: 'x', type: 'float', dims: ['N', WIDTHS[0]] }],
    outputs: [{ name: 'y', type: 'float', dims: ['N', WIDTHS[3]] }],
    nodes: layers.flatMap(({ index }) => {
      const sum = index === last ? 'y' : `sum${index}`;
      const gemm = {
        type: 'Gemm',
        inputs: [index === 0 ? 'x' : `h${index - 1}`, `w${index}`, `b${index}`],
        outputs: [sum],
      };
      return index === last ? [gemm] : [gemm, { type: 'Relu', inputs: [sum], outputs: [`h${index}`] }];
    }),
    initializers: layers.flatMap(({ from, width, index }) => [
      {
        name: `w${index}`,
        type: 'float' as const,
        dims: [from, width],
        raw: weights(from * width, 2 / Math.sqrt(from)),
      },
      { name: `b${index}`, type: 'float' as const, dims: [width], raw: weights(width, 0.1) },
    ]),
  });
  const data = Array.from({ length: WIDTHS[0] }, (_, index) => Math.round(Math.sin(index) * 1000) / 1000);
  return { name: 'mlp', bytes, input: 'x', output: 'y', columns: 512, answers: 10, body: requestOf('x', data) };
}

const HEAVY = { width: 2048, layers: 400 } as const;

/** About a hundred milliseconds a row: one matrix of 16 MB, multiplied four hundred times. */
export function heavy(): BenchModel {
  const { width, layers } = HEAVY;
  const values = Float32Array.from({ length: width * width }, (_, index) => Math.sin(index) / 64);
  const bytes = encodeModel({
    inputs: [{ name: 'x', type: 'float', dims: ['N', width] }],
    outputs: [{ name: 'y', type: 'float', dims: ['N', width] }],
    nodes: Array.from({ length: layers }, (_, layer) => [
      { type: 'MatMul', inputs: [layer === 0 ? 'x' : `h${layer - 1}`, 'w'], outputs: [`m${layer}`] },
      { type: 'Tanh', inputs: [`m${layer}`], outputs: [layer === layers - 1 ? 'y' : `h${layer}`] },
    ]).flat(),
    initializers: [{ name: 'w', type: 'float', dims: [width, width], raw: new Uint8Array(values.buffer) }],
  });
  const data = Array.from({ length: width }, (_, index) => Math.round(Math.cos(index) * 100) / 100);
  return { name: 'heavy', bytes, input: 'x', output: 'y', columns: width, answers: width, body: requestOf('x', data) };
}

const TABLE_COLUMNS = 64;

/**
 * A table of embeddings of so many MiB, of which a request looks up one row: large to load, cheap to run. Its answer is the number of the version, so that
 * an answer and the version that it names can be held against each other.
 */
export function table(mebibytes: number, version: number): BenchModel {
  const rows = (mebibytes * 2 ** 20) / (TABLE_COLUMNS * Float32Array.BYTES_PER_ELEMENT);
  // Row 0, which is asked for, stays zero.
  const values = new Float32Array(rows * TABLE_COLUMNS).map((_, index) => (index < TABLE_COLUMNS ? 0 : index % 251));
  const bytes = encodeModel({
    inputs: [{ name: 'row', type: 'int64', dims: ['N'] }],
    outputs: [{ name: 'y', type: 'float', dims: ['N', 1] }],
    nodes: [
      { type: 'Gather', inputs: ['table', 'row'], outputs: ['found'] },
      { type: 'Gemm', inputs: ['found', 'w', 'version'], outputs: ['y'] },
    ],
    initializers: [
      { name: 'table', type: 'float', dims: [rows, TABLE_COLUMNS], raw: new Uint8Array(values.buffer) },
      { name: 'w', type: 'float', dims: [TABLE_COLUMNS, 1], data: new Array<number>(TABLE_COLUMNS).fill(1) },
      { name: 'version', type: 'float', dims: [1], data: [version] },
    ],
  });
  const body = JSON.stringify({ inputs: [{ name: 'row', shape: [1], datatype: 'INT64', data: [0] }] });
  return { name: `table-${mebibytes}`, bytes, input: 'row', output: 'y', columns: 1, answers: 1, body };
}

const WAVES = { columns: 16, width: 4096, layers: 300 } as const;

/** About a millisecond or two for each row, whether rows are merged or not: element-wise operators, one after another. */
export function costly(): BenchModel {
  const { columns, width, layers } = WAVES;
  const values = Float32Array.from({ length: columns * width }, (_, index) => Math.sin(index));
  const bytes = encodeModel({
    inputs: [{ name: 'x', type: 'float', dims: ['N', columns] }],
    outputs: [{ name: 'y', type: 'float', dims: ['N', 1] }],
    nodes: [
      { type: 'MatMul', inputs: ['x', 'w'], outputs: ['h0'] },
      ...Array.from({ length: layers }, (_, layer) => [
        { type: 'Mul', inputs: [`h${layer}`, 'two'], outputs: [`m${layer}`] },
        { type: 'Tanh', inputs: [`m${layer}`], outputs: [`h${layer + 1}`] },
      ]).flat(),
      { type: 'MatMul', inputs: [`h${layers}`, 'mean'], outputs: ['y'] },
    ],
    initializers: [
      { name: 'w', type: 'float', dims: [columns, width], raw: new Uint8Array(values.buffer) },
      { name: 'two', type: 'float', dims: [1], data: [2] },
      { name: 'mean', type: 'float', dims: [width, 1], data: new Array<number>(width).fill(1 / width) },
    ],
  });
  const data = Array.from({ length: columns }, (_, index) => index / columns);
  return { name: 'costly', bytes, input: 'x', output: 'y', columns, answers: 1, body: requestOf('x', data) };
}

/** y = 2 a + 3 b + 1: as small as a model gets. */
export function small(name: string): BenchModel {
  return { name, bytes: linearModel(), input: 'x', output: 'y', columns: 2, answers: 1, body: requestOf('x', [1, 2]) };
}
