import { parseJson, stringifyJson } from '../../contract/json.ts';

const HEADER = 'inference-header-content-length';

export interface BinaryRequest {
  body: Buffer<ArrayBuffer>;
  headers: Record<string, string>;
}

/** A request of the binary extension as tritonclient sends it: JSON, the blobs behind it, and how long the JSON is. */
export function binaryRequest(json: unknown, ...blobs: Uint8Array[]): BinaryRequest {
  const head = Buffer.from(typeof json === 'string' ? json : stringifyJson(json));
  return {
    body: Buffer.concat([head, ...blobs]),
    headers: { 'content-type': 'application/octet-stream', [HEADER]: String(head.length) },
  };
}

/** Elements of BYTES as they travel. */
export function byteStrings(...elements: (string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    elements.flatMap((element) => {
      const bytes = Buffer.from(element as string);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}

export function bytesOf(data: ArrayBufferView): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

export interface BinaryAnswer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
  json: any;
  /** By the name of the output. */
  blobs: Record<string, Buffer>;
}

/** Takes an answer apart as tritonclient does: without the length header it is JSON alone. */
export async function readAnswer(response: Response): Promise<BinaryAnswer> {
  const body = Buffer.from(await response.arrayBuffer());
  const length = response.headers.get(HEADER);
  const end = length === null ? body.length : Number(length);
  const json = parseJson(body.subarray(0, end).toString()) as BinaryAnswer['json'];
  const blobs: Record<string, Buffer> = {};
  let at = end;
  for (const { name, parameters } of json.outputs ?? []) {
    const size = parameters?.binary_data_size;
    if (size === undefined) continue;
    blobs[name] = body.subarray(at, at + size);
    at += size;
  }
  if (at !== body.length) throw new Error(`${body.length - at} bytes are left of the answer`);
  return { status: response.status, headers: response.headers, json, blobs };
}

export async function postBinary(url: string, { body, headers }: BinaryRequest): Promise<BinaryAnswer> {
  return readAnswer(await fetch(url, { method: 'POST', body, headers }));
}
