import { invalid } from './parse.ts';

/** Header of the binary extension: how many bytes of the body, uncompressed, are JSON. Node gives header names in lower case. */
export const LENGTH_HEADER = 'inference-header-content-length';
const MAX_LENGTH = 2 ** 31 - 1;

/** The two parts of a body: JSON, and the bytes of tensors behind it. */
export interface BodyParts {
  json: Buffer;
  /** Undefined where the length header is absent: the whole body is JSON. */
  tensors: Buffer | undefined;
}

/**
 * Splits a body as the length header says.
 * @param length the value of the header
 * @throws KedgeError `request-invalid` for a value that is no length, or longer than the body
 */
export function splitBody(body: Buffer, length: string | undefined): BodyParts {
  if (length === undefined) return { json: body, tensors: undefined };
  const bytes = /^\d{1,10}$/.test(length) ? Number(length) : Number.NaN;
  if (!(bytes <= MAX_LENGTH)) {
    throw invalid(`Inference-Header-Content-Length must be a number of bytes from 0 to ${MAX_LENGTH}.`);
  }
  if (bytes > body.length) {
    throw invalid(`Inference-Header-Content-Length says ${bytes} bytes of JSON, and the body has ${body.length}.`);
  }
  return { json: body.subarray(0, bytes), tensors: body.subarray(bytes) };
}

/** Takes the blobs of tensors off the body, one after another. */
export class BlobReader {
  readonly #tensors: Buffer | undefined;
  #at = 0;

  constructor(tensors: Buffer | undefined) {
    this.#tensors = tensors;
  }

  /** @throws KedgeError `request-invalid` where there are fewer bytes, or no length header to say where they begin */
  take(where: string, size: number): Buffer {
    if (this.#tensors === undefined) {
      // The KServe SDK sends empty tensors so, without the header.
      if (size === 0) return Buffer.alloc(0);
      throw invalid(
        `${where} has binary_data_size, and the header Inference-Header-Content-Length is missing: it says where the JSON ends.`,
      );
    }
    const end = this.#at + size;
    if (end > this.#tensors.length) {
      throw invalid(
        `${where}: binary_data_size is ${size}, and ${this.#tensors.length - this.#at} bytes of the body are left.`,
      );
    }
    const blob = this.#tensors.subarray(this.#at, end);
    this.#at = end;
    return blob;
  }

  /** @throws KedgeError `request-invalid` where bytes are left that no input declares */
  end(): void {
    const left = (this.#tensors?.length ?? 0) - this.#at;
    if (left > 0) throw invalid(`${left} bytes of the body are left that no input declares as binary_data_size.`);
  }
}
