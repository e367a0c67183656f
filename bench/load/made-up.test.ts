import { expect, it } from 'vitest';
import { parseJson } from '../../contract/json.ts';
import { DATATYPES, type Signature } from '../../contract/signature.ts';
import { Random } from '../../platform/random.ts';
import { parseInferRequest } from '../../server/api/infer-request.ts';
import { makeUpBody } from './made-up.ts';

const inputs = DATATYPES.map((datatype) => ({ name: `x-${datatype}`, datatype, shape: [-1, 3, -1] }));
const signature: Signature = { inputs, outputs: [] };

it.each([false, true])('is what the server reads, for every datatype; binary %s', (binary) => {
  const { body, headers } = makeUpBody(inputs, { rows: 2, binary }, new Random(1));
  const request = parseInferRequest(
    Buffer.from(body as string),
    headers?.['inference-header-content-length'],
    signature,
  );
  expect([...request.inputs.keys()]).toEqual(inputs.map(({ name }) => name));
  for (const { datatype, shape, data } of request.inputs.values()) {
    expect([datatype, shape, data.length]).toEqual([datatype, [2, 3, 1], 6]);
    if (!Array.isArray(data)) for (const value of data) expect(Number(value)).toBeLessThanOrEqual(1);
  }
  expect(request.binaryOutputs).toBe(binary);
});

it('draws the same for the same seed, in JSON and in binary', () => {
  const of = (seed: number, binary: boolean) => {
    const { body, headers } = makeUpBody(inputs, { rows: 1, binary }, new Random(seed));
    const length = headers?.['inference-header-content-length'];
    return parseInferRequest(Buffer.from(body as string), length, signature).inputs;
  };
  expect(of(1, false)).toEqual(of(1, true));
  expect(of(1, false)).not.toEqual(of(2, false));
});

it('leaves out what may be left out, and writes short numbers', () => {
  const some = [
    { name: 'x', datatype: 'FP32', shape: [1, 4] },
    { name: 'y', datatype: 'INT64', shape: [], optional: true },
  ];
  const { inputs: sent } = parseJson(makeUpBody(some, { rows: 1, binary: false }, new Random(1)).body as string) as {
    inputs: { name: string; data: number[] }[];
  };
  expect(sent.map(({ name }) => name)).toEqual(['x']);
  for (const value of sent[0]!.data) expect(String(value).length).toBeLessThanOrEqual(5);
});

it('says which input it cannot make up', () => {
  expect(() =>
    makeUpBody([{ name: 'z', datatype: 'BF16', shape: [1] }], { rows: 1, binary: false }, new Random(1)),
  ).toThrow("input 'z' is BF16");
});
