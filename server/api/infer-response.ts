import type { Tensor, Tensors } from '../../contract/tensor.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import { binaryData } from './binary-tensor.ts';
import { hasStandIns } from './byte-strings.ts';
import { classify } from './classification.ts';
import type { InferRequest } from './infer-request.ts';
import { jsonData } from './json-data.ts';
import { invalid } from './parse.ts';
import { LENGTH_HEADER } from './request-body.ts';

/** An answer that is not plain JSON. */
export interface BinaryReply {
  body: Uint8Array<ArrayBuffer>;
  headers: Readonly<Record<string, string>>;
}

/**
 * The answer of the Open Inference Protocol, its outputs in the order of `outputs`, each as the request wants it. It is plain
 * JSON unless an output goes out in binary and is not empty.
 * @throws KedgeError `request-invalid` where an output cannot have the form that is wanted
 */
export function inferResponse(
  { model, version }: ServedVersion,
  { id, outputs: wishes, binaryOutputs, standIns }: Omit<InferRequest, 'inputs' | 'parameters'>,
  outputs: Tensors,
): string | BinaryReply {
  const plain = !wishes && !binaryOutputs;
  const parts: string[] = [];
  const blobs: Uint8Array[] = [];
  let at = 0;
  for (const [name, computed] of outputs) {
    const wish = wishes?.[at];
    const tensor = wish && wish.classification > 0 ? classify(name, computed, wish.classification) : computed;
    const head = `{"name":${JSON.stringify(name)},"datatype":"${tensor.datatype}","shape":[${tensor.shape.join(',')}]`;
    if (!plain && (wish?.binary ?? binaryOutputs)) {
      const blob = binaryData(tensor, standIns);
      blobs.push(blob);
      // An empty one says both, for clients that look for either.
      const data = blob.length === 0 ? ',"data":[]' : '';
      parts.push(`${head},"parameters":{"binary_data_size":${blob.length}}${data}}`);
    } else {
      if (standIns) checkText(name, tensor);
      parts.push(`${head},"data":${jsonData(tensor)}}`);
    }
    at += 1;
  }
  const echo = id === undefined ? '' : `"id":${JSON.stringify(id)},`;
  const json = `{"model_name":"${model}","model_version":"${version}",${echo}"outputs":[${parts.join(',')}]}`;
  return blobs.some(({ length }) => length > 0) ? binaryReply(json, blobs) : json;
}

function binaryReply(json: string, blobs: readonly Uint8Array[]): BinaryReply {
  const length = Buffer.byteLength(json);
  const body = Buffer.allocUnsafe(blobs.reduce((total, blob) => total + blob.length, length));
  let at = body.write(json);
  for (const blob of blobs) {
    body.set(blob, at);
    at += blob.length;
  }
  return { body, headers: { 'content-type': 'application/octet-stream', [LENGTH_HEADER]: String(length) } };
}

function checkText(name: string, { data }: Tensor): void {
  if (!Array.isArray(data) || !data.some(hasStandIns)) return;
  throw invalid(
    `Output '${name}' holds bytes that are no UTF-8, which JSON has no form for: ask for it as binary_data.`,
  );
}
