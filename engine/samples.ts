import type { Sample, SampleTensor } from '../contract/manifest.ts';
import type { Tensor, Tensors } from '../contract/tensor.ts';

/** @throws KedgeError `document-invalid` where the values do not fit the datatype or the shape */
export function tensorOfSample(_sample: SampleTensor): Tensor {
  throw new Error('to follow');
}

/** Inputs or outputs of a sample. @throws KedgeError `document-invalid` that names the tensor */
export function tensorsOfSample(_tensors: Sample['inputs']): Tensors {
  throw new Error('to follow');
}

/** The first difference of `got` from `want` as a sentence, or undefined. Outputs that `want` lacks are not looked at. */
export function compareOutputs(_got: Tensors, _want: Tensors, _tolerance: Sample['tolerance']): string | undefined {
  throw new Error('to follow');
}
