import type { Datatype } from '../../contract/signature.ts';
import { newData, type TensorData } from '../../contract/tensor.ts';
import { show } from './errors.ts';
import { invalid } from './parse.ts';

/** What JSON has no numbers for. Writers without the tokens (JavaScript, orjson, pydantic) write null for a missing value. */
const SPECIAL = new Map<unknown, number>([
  [null, Number.NaN],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

/** Writes `value` at `at`, and answers whether the element now is that value. */
type Write = (value: unknown, at: number) => boolean;

/**
 * Elements from JSON values: BOOL takes true, false, 1 and 0; the floats take numbers, the tokens and the strings NaN, Infinity
 * and -Infinity, null as NaN, and round as IEEE 754 does; the integers take whole numbers in their range; BYTES takes strings.
 */
export class Elements {
  readonly data: TensorData;
  readonly #datatype: Datatype;
  readonly #where: string;
  readonly #write: Write;
  #at = 0;

  /** @param where names the tensor in errors */
  constructor(datatype: Datatype, count: number, where: string) {
    this.data = newData(datatype, count);
    this.#datatype = datatype;
    this.#where = where;
    this.#write = writer(datatype, this.data);
  }

  /** Takes on a run of values, in order. @throws KedgeError `request-invalid` that names the element */
  push(values: readonly unknown[]): void {
    const { data } = this;
    if (data instanceof Float32Array || data instanceof Float64Array) {
      this.#pushNumbers(data, values);
      return;
    }
    for (const value of values) {
      if (!this.#write(value, this.#at)) this.#fail(value);
      this.#at += 1;
    }
  }

  /** The common case, kept free of calls. */
  #pushNumbers(data: Float32Array | Float64Array, values: readonly unknown[]): void {
    let at = this.#at;
    for (let index = 0; index < values.length; index += 1) {
      const value = values[index];
      if (typeof value === 'number') data[at] = value;
      else if (!this.#write(value, at)) {
        this.#at = at;
        this.#fail(value);
      }
      at += 1;
    }
    this.#at = at;
  }

  #fail(value: unknown): never {
    throw invalid(`${this.#where}: element ${this.#at} is ${show(value)}, which is no ${this.#datatype}.`);
  }
}

function writer(datatype: Datatype, data: TensorData): Write {
  if (Array.isArray(data)) return writeString(data);
  if (datatype === 'BOOL') return writeBool(data as Uint8Array);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return writeBig(data);
  return datatype.startsWith('FP') ? writeFloat(data as Float32Array) : writeInteger(data as Int32Array);
}

function writeString(data: string[]): Write {
  return (value, at) => {
    if (typeof value !== 'string') return false;
    data[at] = value;
    return true;
  };
}

function writeBool(data: Uint8Array): Write {
  return (value, at) => {
    data[at] = Number(value);
    return value === true || value === false || value === 1 || value === 0;
  };
}

function writeInteger(data: Int32Array): Write {
  return (value, at) => {
    // A bigint, which is out of range here in any case, must not even be assigned.
    if (typeof value !== 'number') return false;
    data[at] = value;
    return data[at] === value;
  };
}

function writeBig(data: BigInt64Array | BigUint64Array): Write {
  return (value, at) => {
    const whole = typeof value === 'bigint' || Number.isInteger(value) ? BigInt(value as number) : undefined;
    if (whole === undefined) return false;
    data[at] = whole;
    return data[at] === whole;
  };
}

function writeFloat(data: Float32Array): Write {
  return (value, at) => {
    const number = typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : SPECIAL.get(value);
    if (number === undefined) return false;
    data[at] = number;
    return true;
  };
}
