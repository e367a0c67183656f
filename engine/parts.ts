import { KedgeError } from '../contract/errors.ts';
import type { Tensor, TensorData, Tensors } from '../contract/tensor.ts';
import { MAX_FRAME_BYTES } from './frames.ts';

type Elements = Exclude<TensorData, string[]>;

/**
 * One request that has more rows than a run may, answered by several runs one after another. All of its inputs have rows, the same number.
 * What comes out is written into its place at once, so that the end of the last part is no long copy.
 */
export class Parts {
  readonly #inputs: Tensors;
  readonly #rows: number;
  readonly #outputs: Tensors = new Map();
  #done = 0;
  /** What its runs took so far, in milliseconds. */
  computeMs = 0;

  constructor(inputs: Tensors, rows: number) {
    this.#inputs = inputs;
    this.#rows = rows;
  }

  /** Rows that are not answered yet. */
  get left(): number {
    return this.#rows - this.#done;
  }

  /** The next rows, over the same memory. */
  next(count: number): Tensors {
    return new Map(
      [...this.#inputs].map(([name, { datatype, shape, data }]): [string, Tensor] => {
        const size = data.length / this.#rows;
        const [begin, end] = [this.#done * size, (this.#done + count) * size];
        const part = Array.isArray(data) ? data.slice(begin, end) : (data as Float32Array).subarray(begin, end);
        return [name, { datatype, shape: [count, ...shape.slice(1)], data: part }];
      }),
    );
  }

  /**
   * Takes what came out for the next `count` rows.
   * @returns false where an output has other rows, or rows of another size than those before
   * @throws KedgeError `request-invalid` where all rows would come out larger than can be carried
   */
  add(outputs: Tensors, count: number): boolean {
    for (const [name, part] of outputs) {
      if (part.shape[0] !== count) return false;
      const whole = this.#outputs.get(name) ?? this.#begin(name, part);
      if (!sameRows(whole, part)) return false;
      if (Array.isArray(whole.data)) for (const text of part.data as string[]) whole.data.push(text);
      else (whole.data as Float32Array).set(part.data as Float32Array, (part.data.length / count) * this.#done);
    }
    this.#done += count;
    return true;
  }

  /** All rows, once none is left. */
  get outputs(): Tensors {
    return this.#outputs;
  }

  #begin(name: string, { datatype, shape: [count, ...rest], data }: Tensor): Tensor {
    const whole: Tensor = {
      datatype,
      shape: [this.#rows, ...rest],
      data: Array.isArray(data) ? [] : this.#room(data, count!),
    };
    this.#outputs.set(name, whole);
    return whole;
  }

  #room(data: Elements, count: number): Elements {
    const length = (data.length / count) * this.#rows;
    const bytes = length * data.BYTES_PER_ELEMENT;
    if (bytes > MAX_FRAME_BYTES) {
      throw new KedgeError(
        'request-invalid',
        `An output would take ${bytes} bytes, and at most ${MAX_FRAME_BYTES} can be answered: send fewer rows.`,
      );
    }
    return new (data.constructor as new (length: number) => Elements)(length);
  }
}

function sameRows({ datatype, shape }: Tensor, other: Tensor): boolean {
  if (datatype !== other.datatype || shape.length !== other.shape.length) return false;
  return shape.every((size, axis) => axis === 0 || size === other.shape[axis]);
}
