import { tmpdir } from 'node:os';
import { KedgeError } from '../../contract/errors.ts';
import { signatureOf } from '../../contract/manifest-of.ts';
import { readHeadOfBytes } from '../../contract/onnx/head.ts';
import type { Signature } from '../../contract/signature.ts';
import { openSession } from '../../engine/session.ts';
import { rowCount, rowMajor, type Table } from '../table.ts';
import type { TensorNames } from './fitter.ts';

/** Rows of one run of the runtime, to bound memory. */
const CHUNK = 8192;

/** An exported model, loaded into the runtime of this process. */
export interface OnnxModel {
  readonly signature: Signature;
  /** The prediction for each row, as `Fitted.predict`: of two columns of probabilities the second. */
  predict(table: Table, rows?: Uint32Array): Promise<Float64Array>;
  /** The shape of its answer to the last rows, and how many they were. */
  readonly answered: { shape: readonly number[]; rows: number } | undefined;
  release(): Promise<void>;
}

/**
 * Loads the bytes of a model.onnx that takes the columns of a table as one FP32 tensor.
 * @throws KedgeError `fit-failed` where it has other inputs or outputs than `names` say; `engine-failed` where the runtime refuses
 */
export async function openOnnx(bytes: Uint8Array, names: TensorNames, columns: number): Promise<OnnxModel> {
  const result = readHeadOfBytes(bytes);
  if (!result.ok) throw wrong(result.refusals.map(({ message }) => message).join(' '));
  const signature = signatureOf(result.head);
  const problem = misfit(signature, names, columns);
  if (problem) throw wrong(problem);
  const runner = await openSession({ name: 'the fitted model', dir: tmpdir(), model: bytes, signature });
  let answered: OnnxModel['answered'];
  const run = async (data: Float32Array, height: number): Promise<ArrayLike<number>> => {
    const inputs = new Map([[names.input, { datatype: 'FP32', shape: [height, columns], data } as const]]);
    const outputs = await runner.run(inputs, [names.output]);
    const answer = outputs.get(names.output)!;
    answered = { shape: answer.shape, rows: height };
    return answer.data as ArrayLike<number>;
  };
  return {
    signature,
    get answered() {
      return answered;
    },
    release: () => runner.release(),
    async predict(table, rows) {
      const height = rowCount({ table, rows });
      const answers = new Float64Array(height);
      for (let start = 0; start < height; start += CHUNK) {
        const end = Math.min(height, start + CHUNK);
        const part = rows?.subarray(start, end) ?? Uint32Array.from({ length: end - start }, (_, at) => start + at);
        const data = await run(rowMajor(table, part), part.length);
        const width = data.length / part.length;
        if (width !== 1 && width !== 2) {
          throw wrong(
            `its output '${names.output}' has ${width} numbers for a row; it must have one, or two probabilities.`,
          );
        }
        for (let at = 0; at < part.length; at += 1) answers[start + at] = data[at * width + width - 1]!;
      }
      return answers;
    },
  };
}

function wrong(problem: string): KedgeError {
  return new KedgeError('fit-failed', `The model does not fit its table: ${problem}`);
}

function misfit({ inputs, outputs }: Signature, names: TensorNames, columns: number): string | undefined {
  const [input] = inputs;
  const found = inputs.map(({ name }) => `'${name}'`).join(', ') || 'none';
  if (inputs.length !== 1 || input!.name !== names.input) {
    return `its inputs are ${found}; it must have one, '${names.input}'.`;
  }
  const wide = input!.shape.length === 2 && (input!.shape[1] === columns || input!.shape[1] === -1);
  if (input!.datatype !== 'FP32' || !wide) {
    return `its input '${names.input}' is ${input!.datatype}[${input!.shape}]; it must be FP32[-1,${columns}].`;
  }
  const output = outputs.find(({ name }) => name === names.output);
  if (!output) return `it has no output '${names.output}', but ${outputs.map(({ name }) => `'${name}'`).join(', ')}.`;
  if (output.datatype !== 'FP32' && output.datatype !== 'FP64') {
    return `its output '${names.output}' is ${output.datatype}; it must be FP32.`;
  }
  return undefined;
}
