import { describe, expect, it } from 'vitest';
import type { Sample } from '../contract/manifest.ts';
import {
  allocation,
  endlessLoop,
  functionTower,
  integerDivision,
  linearModel,
  loopByRequest,
  nodesModel,
} from '../contract/onnx/testing/models.ts';
import { silentLog } from '../platform/log.ts';
import type { LoadRequest } from './engine.ts';
import { type ProbeOptions, probe } from './probe.ts';
import { childrenOf } from './testing/processes.ts';
import { versionOf } from './testing/versions.ts';

const limits = { loadMs: 20_000, runMs: 20_000, memoryBytes: 600 * 2 ** 20 };

async function tryOut(version: LoadRequest | Uint8Array, options: Partial<ProbeOptions> = {}) {
  const request = version instanceof Uint8Array ? await versionOf(version) : version;
  const result = await probe(request, { bare: false, limits, log: silentLog, ...options });
  if (process.platform === 'linux') expect(childrenOf(process.pid)).toEqual([]);
  return result;
}

const fp32 = (data: number[], shape = [1, data.length]): Sample['inputs'][string] => ({
  datatype: 'FP32',
  shape,
  data,
});
const int64 = (data: (number | bigint)[]): Sample['inputs'][string] => ({
  datatype: 'INT64',
  shape: [data.length],
  data,
});
const sample = (inputs: Sample['inputs'], outputs: Sample['outputs']): Sample => ({
  inputs,
  outputs,
  tolerance: { abs: 1e-6, rel: 0 },
});

describe('probe', () => {
  it.each([true, false])('measures a good model without samples, bare %s', async (bare) => {
    expect(await tryOut(linearModel(), { bare })).toEqual({
      ok: true,
      report: {
        loadMs: expect.any(Number),
        runMs: expect.any(Number),
        memoryBytes: expect.any(Number),
        rowOutputs: ['y'],
      },
    });
  });

  it('runs the samples', async () => {
    const samples = [
      sample({ x: fp32([1, 2]) }, { y: fp32([9]) }),
      sample({ x: fp32([0, 0, 1, 1], [2, 2]) }, { y: fp32([1, 6], [2, 1]) }),
    ];
    expect(await tryOut(linearModel(), { samples })).toMatchObject({ ok: true, report: { rowOutputs: ['y'] } });
  });

  it.each<[string, Sample, RegExp]>([
    [
      'another answer',
      sample({ x: fp32([1, 2]) }, { y: fp32([8]) }),
      /^1 of 1 samples do not come out\. Sample 1: Output 'y' is 9 in element 0, expected 8\./,
    ],
    [
      'another shape',
      sample({ x: fp32([1, 2, 3]) }, { y: fp32([8]) }),
      /Sample 1: Input 'x' has shape \[1,3\], expected \[-1,2\]\./,
    ],
    ['another output', sample({ x: fp32([1, 2]) }, { z: fp32([9]) }), /Sample 1: Output 'z' is missing\./],
    [
      'values of another datatype',
      sample({ x: { datatype: 'FP32', shape: [1, 2], data: ['a', 'b'] } }, {}),
      /Sample 1: Tensor 'x' has a as element 0, expected FP32\./,
    ],
  ])('refuses samples with %s', async (_title, entry, message) => {
    expect(await tryOut(linearModel(), { samples: [entry] })).toEqual({
      ok: false,
      refusals: [{ code: 'samples-mismatch', message: expect.stringMatching(message) }],
    });
  });

  it('counts samples that differ, and writes out three', async () => {
    const samples = Array.from({ length: 6 }, (_, index) =>
      sample({ x: fp32([index, 0]) }, { y: fp32([index === 0 ? 1 : 0]) }),
    );
    expect(await tryOut(linearModel(), { samples })).toMatchObject({
      refusals: [
        {
          message: expect.stringMatching(
            /^5 of 6 samples do not come out\. Sample 2: .* Sample 4: .* And 2 more\. Make/,
          ),
        },
      ],
    });
  });

  it('refuses a sample that the runtime refuses, in its words', async () => {
    const samples = [sample({ a: int64([7]), b: int64([0]) }, { q: int64([0]) })];
    expect(await tryOut(integerDivision(), { samples })).toMatchObject({
      refusals: [
        {
          code: 'run-failed',
          message: expect.stringMatching(/^Sample 1: made\/1 cannot take these inputs: .*Integer division by zero$/),
        },
      ],
    });
  });

  it('refuses what the runtime cannot load', async () => {
    const unknown = nodesModel({
      inputs: [{ name: 'x', type: 'float', dims: ['N'] }],
      outputs: [{ name: 'y', type: 'float', dims: ['N'] }],
      nodes: [{ type: 'Nowhere', inputs: ['x'], outputs: ['y'] }],
    });
    expect(await tryOut(unknown)).toMatchObject({
      refusals: [
        { code: 'load-failed', message: expect.stringMatching(/^The runtime cannot load made\/1: .*Nowhere/) },
      ],
    });
  });

  it('refuses bytes that were changed', async () => {
    const version = await versionOf(linearModel());
    const files = version.files.map((file) => ({ ...file, sha256: '0'.repeat(64) }));
    expect(await tryOut({ ...version, files })).toMatchObject({ refusals: [{ code: 'digest-mismatch' }] });
  });

  it('refuses a load that does not end', async () => {
    expect(await tryOut(functionTower({ depth: 40, calls: 2 }), { limits: { ...limits, loadMs: 300 } })).toMatchObject({
      refusals: [{ code: 'load-timeout', expected: 'at most 300 ms' }],
    });
  });

  it('refuses a run that does not end, made up or a sample', async () => {
    const short = { ...limits, runMs: 300 };
    expect(await tryOut(endlessLoop(), { limits: short })).toMatchObject({
      refusals: [
        {
          code: 'run-timeout',
          expected: 'at most 300 ms',
          message: expect.stringMatching(
            /^With made-up inputs \(ones, 1 row\): Running made\/1 ended its process: it took longer than 300 ms\. .*--details/,
          ),
        },
      ],
    });
    const samples = [sample({ x: fp32([1, 2, 3]) }, { y: fp32([1, 2, 3]) })];
    expect(await tryOut(endlessLoop(), { limits: short, samples })).toMatchObject({
      refusals: [{ code: 'run-timeout', message: expect.stringMatching(/^Sample 1: /) }],
    });
  });

  it('throws what it was aborted with, and ends the process', async () => {
    const abort = new AbortController();
    const probing = tryOut(endlessLoop(), { signal: abort.signal });
    setTimeout(() => abort.abort(new Error('enough')), 500);
    await expect(probing).rejects.toThrow('enough');
    await expect(tryOut(linearModel(), { signal: abort.signal })).rejects.toThrow('enough');
    if (process.platform === 'linux') expect(childrenOf(process.pid)).toEqual([]);
  });
});

describe('a version that nobody vouches for', () => {
  it.skipIf(process.arch !== 'x64')(
    'is refused if integers can kill its process; vouched for, it is not tried with them',
    async () => {
      expect(await tryOut(integerDivision(), { bare: true })).toMatchObject({
        refusals: [
          {
            code: 'process-crashed',
            found: 'SIGFPE',
            message: expect.stringMatching(
              /^With made-up inputs \(the smallest integer and -1, 1 row\): Running made\/1 ended its process: it was killed by SIGFPE\. If such values never come, publish it with samples/,
            ),
          },
        ],
      });
      expect(await tryOut(integerDivision(), { bare: false })).toMatchObject({ ok: true });
      const samples = [sample({ a: int64([7]), b: int64([2]) }, { q: int64([3]) })];
      expect(await tryOut(integerDivision(), { bare: true, samples })).toMatchObject({ ok: true });
    },
  );

  it('is refused if integers decide how much memory it takes', async () => {
    expect(await tryOut(allocation(), { bare: true })).toMatchObject({
      refusals: [
        { code: 'memory-limit', expected: 'at most 629145600 bytes', found: expect.stringMatching(/^\d{9,} bytes$/) },
      ],
    });
  });

  it('is refused if integers decide how long it takes', async () => {
    const short = { ...limits, runMs: 300 };
    expect(await tryOut(loopByRequest(), { bare: true, limits: short })).toMatchObject({
      refusals: [{ code: 'run-timeout', message: expect.stringMatching(/^With made-up inputs \(a large integer/) }],
    });
  });

  it('may refuse made-up values with an error', async () => {
    const gather = nodesModel({
      inputs: [{ name: 'i', type: 'int64', dims: ['N'] }],
      outputs: [{ name: 'y', type: 'float', dims: ['N'] }],
      nodes: [{ type: 'Gather', inputs: ['table', 'i'], outputs: ['y'] }],
      initializers: [{ name: 'table', type: 'float', dims: [1], data: [5] }],
    });
    expect(await tryOut(gather, { bare: true })).toMatchObject({ ok: true, report: { rowOutputs: ['y'] } });
  });

  it('with nothing answered counts as slow', async () => {
    const gather = nodesModel({
      inputs: [{ name: 'x', type: 'float', dims: ['N'] }],
      outputs: [{ name: 'y', type: 'float', dims: [7] }],
      nodes: [
        { type: 'Add', inputs: ['x', 'seven'], outputs: ['five'] },
        { type: 'Reshape', inputs: ['five', 'shape'], outputs: ['y'] },
      ],
      initializers: [
        { name: 'seven', type: 'float', dims: [7, 1], data: [1, 2, 3, 4, 5, 6, 7] },
        { name: 'shape', type: 'int64', dims: [1], data: [35] },
      ],
    });
    expect(await tryOut(gather, { bare: true })).toMatchObject({
      ok: true,
      report: { runMs: limits.runMs, rowOutputs: [] },
    });
  });
});
