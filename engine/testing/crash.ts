import { nodesModel } from '../../contract/onnx/testing/models.ts';
import type { Tensors } from '../../contract/tensor.ts';
import { tensor } from './versions.ts';

const ones = (name: string, dims: number[]) => ({
  name,
  type: 'float' as const,
  dims,
  data: new Array<number>(dims.reduce((product, dim) => product * dim)).fill(1),
});

/** y = how many rows the last state of a GRU has over `n` rows, n being an INT64 [1]. Zero rows abort the process, on every platform. */
export function crashByRequest(): Uint8Array {
  return nodesModel({
    inputs: [{ name: 'n', type: 'int64', dims: [1] }],
    outputs: [{ name: 'y', type: 'int64', dims: [3] }],
    nodes: [
      { type: 'Concat', inputs: ['one', 'n', 'one'], outputs: ['shape'], attributes: { axis: { int: 0 } } },
      { type: 'ConstantOfShape', inputs: ['shape'], outputs: ['x'] },
      { type: 'GRU', inputs: ['x', 'W', 'R'], outputs: ['', 'state'], attributes: { hidden_size: { int: 2 } } },
      { type: 'Shape', inputs: ['state'], outputs: ['y'] },
    ],
    initializers: [{ name: 'one', type: 'int64', dims: [1], data: [1] }, ones('W', [1, 6, 1]), ones('R', [1, 6, 2])],
  });
}

/** y = x, row by row, over INT64 [N, 1]. A row that is 0 aborts the process of the whole run, by the same GRU. */
export function crashByRow(): Uint8Array {
  return nodesModel({
    inputs: [{ name: 'x', type: 'int64', dims: ['N', 1] }],
    outputs: [{ name: 'y', type: 'int64', dims: ['N', 1] }],
    nodes: [
      { type: 'ReduceMin', inputs: ['x'], outputs: ['least'] },
      { type: 'Reshape', inputs: ['least', 'one'], outputs: ['n'] },
      { type: 'Concat', inputs: ['one', 'n', 'one'], outputs: ['shape'], attributes: { axis: { int: 0 } } },
      { type: 'ConstantOfShape', inputs: ['shape'], outputs: ['steps'] },
      { type: 'GRU', inputs: ['steps', 'W', 'R'], outputs: ['', 'state'], attributes: { hidden_size: { int: 2 } } },
      { type: 'Shape', inputs: ['state'], outputs: ['dims'] },
      { type: 'Mul', inputs: ['dims', 'zeros'], outputs: ['nothing'] },
      { type: 'ReduceMax', inputs: ['nothing'], outputs: ['zero'] },
      { type: 'Add', inputs: ['x', 'zero'], outputs: ['y'] },
    ],
    initializers: [
      { name: 'one', type: 'int64', dims: [1], data: [1] },
      { name: 'zeros', type: 'int64', dims: [3], data: [0, 0, 0] },
      ones('W', [1, 6, 1]),
      ones('R', [1, 6, 2]),
    ],
  });
}

export const rows = (n: bigint): Tensors => new Map([['n', tensor('INT64', [1], [n])]]);
/** Kills the process that runs {@link crashByRequest} with SIGABRT. */
export const KILLER = rows(0n);
