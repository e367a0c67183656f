import type { Tensors } from '../../contract/tensor.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import { jsonData } from './json-data.ts';

/** The answer of the Open Inference Protocol in JSON, its outputs in the order of `outputs`. */
export function inferResponse({ model, version }: ServedVersion, id: string | undefined, outputs: Tensors): string {
  const parts: string[] = [];
  for (const [name, tensor] of outputs) {
    const head = `{"name":${JSON.stringify(name)},"datatype":"${tensor.datatype}","shape":[${tensor.shape.join(',')}]`;
    parts.push(`${head},"data":${jsonData(tensor)}}`);
  }
  const echo = id === undefined ? '' : `"id":${JSON.stringify(id)},`;
  return `{"model_name":"${model}","model_version":"${version}",${echo}"outputs":[${parts.join(',')}]}`;
}
