import type { Signature } from '../contract/signature.ts';
import type { Tensors } from '../contract/tensor.ts';

/**
 * How many rows a request has: the largest first dimension among the inputs whose first dimension is free, whatever the order in which the client
 * sent them; 1 for a model that has no such input. Pure.
 */
export function requestRows({ inputs }: Pick<Signature, 'inputs'>, tensors: Tensors): number {
  let rows: number | undefined;
  for (const { name, shape } of inputs) {
    if (shape[0] !== -1) continue;
    const given = tensors.get(name)?.shape[0];
    if (given !== undefined && (rows === undefined || given > rows)) rows = given;
  }
  return rows ?? 1;
}
