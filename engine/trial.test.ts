import { describe, expect, it } from 'vitest';
import { KedgeError } from '../contract/errors.ts';
import type { Sample } from '../contract/manifest.ts';
import { readHeadOfBytes } from '../contract/onnx/head.ts';
import { rowsIndependent } from '../contract/onnx/rows.ts';
import { identityModel, linearModel, nodesModel } from '../contract/onnx/testing/models.ts';
import { sharedModels } from '../tests/shared.ts';
import type { LoadRequest } from './engine.ts';
import { createInlineEngine } from './inline.ts';
import type { Runner } from './session.ts';
import { elements, sharedTensors, sharedVersion, tensor, versionOf } from './testing/versions.ts';
import { judgeMerging } from './trial.ts';

const engine = createInlineEngine();
const mergingOf = async (request: LoadRequest) => (await engine.load({ ...request, mergeRows: true })).merging;

/** y = x less the mean of all rows. */
const centred = nodesModel({
  inputs: [{ name: 'x', type: 'float', dims: ['N', 2] }],
  outputs: [{ name: 'y', type: 'float', dims: ['N', 2] }],
  nodes: [
    { type: 'ReduceMean', inputs: ['x'], outputs: ['mean'], attributes: { axes: { ints: [0] } } },
    { type: 'Sub', inputs: ['x', 'mean'], outputs: ['y'] },
  ],
});

const sample = (...rows: number[][]): Sample => ({
  inputs: { x: { datatype: 'FP32', shape: [rows.length, 2], data: rows.flat() } },
  outputs: {},
  tolerance: { abs: 0, rel: 0 },
});

describe('rows that are said to be independent', () => {
  it('are merged where they come out equal', async () => {
    expect(await mergingOf(await versionOf(linearModel()))).toEqual({
      merges: true,
      because: 'Its rows are independent, and came out equal alone and merged.',
    });
    expect((await mergingOf(await versionOf(identityModel({ type: 'string' }))))?.merges).toBe(true);
  });

  it.each([
    ['made-up inputs', undefined],
    ['a sample', [sample([1, 2])]],
    ['samples', [sample([1, 2]), sample([5, 6], [7, 8])]],
  ])('are not where %s show otherwise', async (_, samples) => {
    const merging = await mergingOf({ ...(await versionOf(centred)), samples });
    expect(merging?.merges).toBe(false);
    expect(merging?.because).toMatch(/came out otherwise than alone: Output 'y' is/);
  });

  it('are not where nobody says so', async () => {
    const { merging } = await engine.load(await versionOf(linearModel()));
    expect(merging).toEqual({ merges: false, because: expect.stringMatching(/neither proved nor declared/) });
  });

  it('are not where an output has other rows than the inputs', async () => {
    const sum = nodesModel({
      inputs: [{ name: 'x', type: 'float', dims: ['N', 2] }],
      outputs: [{ name: 'y', type: 'float', dims: [1, 2] }],
      nodes: [{ type: 'ReduceMax', inputs: ['x'], outputs: ['y'], attributes: { axes: { ints: [0] } } }],
    });
    const merging = await mergingOf(await versionOf(sum));
    expect(merging?.because).toMatch(/does not have a row for each row/);
  });

  it('end the load where the trial ends the process', async () => {
    const runner: Runner = {
      shapes: { inputs: [], outputs: [] },
      run: () => Promise.reject(new KedgeError('engine-crashed', 'It died.')),
      release: () => Promise.resolve(),
    };
    const request = { ...(await versionOf(linearModel())), mergeRows: true };
    await expect(judgeMerging(runner, request)).rejects.toMatchObject({ code: 'engine-crashed' });
  });

  it('answer the same merged as alone, and each its own', async () => {
    const model = await engine.load({ ...(await versionOf(linearModel())), mergeRows: true });
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => model.run(new Map([['x', tensor('FP32', [1, 2], [index, 1])]]))),
    );
    expect(answers.flatMap((answer) => elements(answer, 'y'))).toEqual(answers.map((_, index) => 2 * index + 4));
  });
});

const title = sharedModels ? '' : ' (left out: ../shared/models is not here)';
describe.skipIf(!sharedModels)(`the trial of the shared models${title}`, () => {
  it.each(sharedModels?.good ?? [])('$name', async (good) => {
    const version = await sharedVersion(sharedModels!, good);
    // Even if all of them said so.
    const merging = await mergingOf(version);
    const head = readHeadOfBytes(await (await import('node:fs/promises')).readFile(`${version.dir}/model.onnx`));
    if (head.ok && rowsIndependent(head.head).independent) expect(merging).toMatchObject({ merges: true });
    if (!good.batchable && good.name !== 'iris-zipmap') expect(merging?.merges).toBe(false);
  });

  it.each(sharedModels?.good.filter(({ batchable }) => batchable) ?? [])('$name, merged', async (good) => {
    const model = await engine.load({ ...(await sharedVersion(sharedModels!, good)), mergeRows: true });
    const cases = good.cases
      .map(({ request }) => sharedTensors(request.inputs))
      .filter((inputs) => ![...inputs.values()].some(({ shape }) => shape.includes(0)));
    const { compareOutputs } = await import('./samples.ts');
    const alone = [];
    for (const inputs of cases) alone.push(await model.run(inputs));
    const merged = await Promise.all(cases.map((inputs) => model.run(inputs)));
    for (const [index, answer] of merged.entries()) {
      expect(compareOutputs(answer, alone[index]!, { abs: 1e-3, rel: 1e-2 }), `case ${index}`).toBeUndefined();
    }
  });
});
