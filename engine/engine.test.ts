import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeModel } from '../contract/onnx/encode.ts';
import { identityModel, integerDivision, linearModel, nestedIfs, nodesModel } from '../contract/onnx/testing/models.ts';
import type { Clock } from '../platform/clock.ts';
import { createHostEngine } from './host-engine.ts';
import { createInlineEngine } from './inline.ts';
import { engines, hostOptions } from './testing/engines.ts';
import { elements, tensor, versionOf } from './testing/versions.ts';

const row = (...data: number[]) => new Map([['x', tensor('FP32', [1, data.length], data)]]);

describe.each(engines)('%s engine', (kind, create) => {
  const engine = create();
  afterAll(() => engine.close());

  it('says what it is, and knows the signature', async () => {
    const version = await versionOf(linearModel());
    const model = await engine.load(version);
    expect([engine.kind, model.signature]).toEqual([kind, version.signature]);
  });

  it('answers many runs at once, each with its own', async () => {
    const model = await engine.load(await versionOf(linearModel()));
    const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => model.run(row(index, 1))));
    expect(answers.flatMap((answer) => elements(answer, 'y'))).toEqual(answers.map((_, index) => 2 * index + 4));
  });

  it('answers a request of many rows as it would answer each, and others meanwhile', async () => {
    const model = await engine.load({ ...(await versionOf(linearModel())), mergeRows: true });
    const rows = 1_000;
    const data = Float32Array.from({ length: 2 * rows }, (_, index) => index);
    const ended: string[] = [];
    const [many] = await Promise.all([
      model.run(new Map([['x', { datatype: 'FP32', shape: [rows, 2], data }]])).finally(() => ended.push('many')),
      model.run(row(1, 2)).finally(() => ended.push('one')),
    ]);
    expect(ended).toEqual(['one', 'many']);
    expect(many.get('y')!.shape).toEqual([rows, 1]);
    const [first, last] = await Promise.all([model.run(row(0, 1)), model.run(row(2 * rows - 2, 2 * rows - 1))]);
    expect([elements(many, 'y')[0], elements(many, 'y').at(-1)]).toEqual([
      ...elements(first, 'y'),
      ...elements(last, 'y'),
    ]);
  });

  it('gives the wanted outputs in the wanted order', async () => {
    const outputs = ['a', 'b', 'c'];
    const bytes = nodesModel({
      inputs: [{ name: 'x', type: 'float', dims: ['N'] }],
      outputs: outputs.map((name) => ({ name, type: 'float', dims: ['N'] })),
      nodes: [
        { type: 'Neg', inputs: ['x'], outputs: ['a'] },
        { type: 'Abs', inputs: ['x'], outputs: ['b'] },
        { type: 'Sqrt', inputs: ['x'], outputs: ['c'] },
      ],
    });
    const model = await engine.load(await versionOf(bytes));
    const inputs = new Map([['x', tensor('FP32', [1], [4])]]);
    expect([...(await model.run(inputs)).keys()]).toEqual(outputs);
    const chosen = await model.run(inputs, ['c', 'a']);
    expect([...chosen].map(([name, { data }]) => [name, ...(data as Float32Array)])).toEqual([
      ['c', 2],
      ['a', -4],
    ]);
  });

  it('refuses inputs that do not fit before the runtime sees them', async () => {
    const model = await engine.load(await versionOf(linearModel()));
    await expect(model.run(row(1, 2, 3))).rejects.toMatchObject({
      code: 'request-invalid',
      message: "Input 'x' has shape [1,3], expected [-1,2].",
    });
    await expect(model.run(row(1, 2), ['z'])).rejects.toMatchObject({ code: 'request-invalid' });
  });

  it('says what the runtime says of values it cannot take, as a fault of the request, and goes on', async () => {
    const model = await engine.load(await versionOf(integerDivision()));
    const divide = (a: bigint[], b: bigint[]) =>
      model.run(
        new Map([
          ['a', tensor('INT64', [a.length], a)],
          ['b', tensor('INT64', [b.length], b)],
        ]),
      );
    await expect(divide([7n], [0n])).rejects.toMatchObject({
      code: 'request-invalid',
      message: expect.stringMatching(/^made\/1 cannot take these inputs: .*Integer division by zero$/),
    });
    await expect(divide([1n, 2n], [1n, 2n, 3n])).rejects.toMatchObject({
      code: 'request-invalid',
      message: expect.stringMatching(/broadcast/),
    });
    expect(elements(await divide([7n, 8n], [2n, 2n]), 'q')).toEqual([3n, 4n]);
  });

  it('answers no rows without the runtime', async () => {
    const model = await engine.load(await versionOf(linearModel()));
    const answer = await model.run(new Map([['x', tensor('FP32', [0, 2], [])]]));
    expect(answer.get('y')).toEqual(tensor('FP32', [0, 1], []));
  });

  it('refuses other bytes than vouched for', async () => {
    const version = await versionOf(linearModel(), { 'notes.txt': Buffer.from('abc') });
    const notes = join(version.dir, 'notes.txt');
    await writeFile(notes, 'abd');
    await expect(engine.load(version)).rejects.toMatchObject({
      code: 'object-corrupt',
      message: expect.stringMatching(/^notes\.txt of made\/1 has sha256 [0-9a-f]{64}, expected [0-9a-f]{64}\./),
    });
    await writeFile(notes, 'abcd');
    await expect(engine.load(version)).rejects.toThrow('notes.txt of made/1 has 4 bytes, expected 3');
    await rm(notes);
    await expect(engine.load(version)).rejects.toThrow('notes.txt of made/1 cannot be read (ENOENT)');
  });

  it('says why the runtime refuses a model, without the folder it lies in', async () => {
    const version = { ...(await versionOf(identityModel())) };
    const broken = await versionOf(nestedIfs(3));
    await expect(engine.load({ ...broken, signature: version.signature })).rejects.toMatchObject({
      code: 'engine-failed',
      message: "The runtime cannot serve made/1: the graph takes an input 'c' that the signature does not name.",
    });
    const unknown = nodesModel({
      inputs: [{ name: 'x', type: 'float', dims: ['N'] }],
      outputs: [{ name: 'y', type: 'float', dims: ['N'] }],
      nodes: [{ type: 'Nowhere', inputs: ['x'], outputs: ['y'] }],
    });
    const refused = await versionOf(unknown);
    const error = await engine.load(refused).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({
      code: 'engine-failed',
      message: expect.stringMatching(/^The runtime cannot load made\/1: .*Nowhere/),
    });
    expect((error as Error).message).not.toContain(refused.dir);
  });

  it('refuses a signature that is not that of the graph', async () => {
    const version = await versionOf(linearModel());
    const retyped = (datatype: 'FP64' | 'INT64', side: 'inputs' | 'outputs') => ({
      ...version,
      signature: { ...version.signature, [side]: version.signature[side].map((spec) => ({ ...spec, datatype })) },
    });
    await expect(engine.load(retyped('FP64', 'inputs'))).rejects.toThrow(
      "input 'x' is FP32 in the graph and FP64 in the signature",
    );
    await expect(engine.load(retyped('INT64', 'outputs'))).rejects.toThrow("output 'y' is FP32 in the graph and INT64");
    const none = encodeModel({
      outputs: [],
      inputs: [{ name: 'x', type: 'float', dims: ['N'] }],
      nodes: [{ type: 'Neg', inputs: ['x'], outputs: ['y'] }],
    });
    await expect(engine.load(await versionOf(none))).rejects.toThrow('it has no output that is a tensor');
  });

  it('lets runs under way finish before a release, and takes none after it', async () => {
    const model = await engine.load(await versionOf(linearModel()));
    const runs = Array.from({ length: 20 }, (_, index) => model.run(row(index, 0)));
    const released = model.release();
    await expect(model.run(row(1, 2))).rejects.toMatchObject({ code: 'model-not-ready' });
    const answers = await Promise.all(runs);
    expect(answers.map((answer) => elements(answer, 'y')[0])).toEqual(answers.map((_, index) => 2 * index + 1));
    await released;
    await model.release();
    // What was answered does not lie in memory that went with the model.
    expect(elements(answers[3]!, 'y')).toEqual([7]);
    await expect(model.run(row(1, 2))).rejects.toMatchObject({ code: 'model-not-ready' });
  });

  it('releases everything when it is closed, and loads nothing after', async () => {
    const other = create();
    const model = await other.load(await versionOf(linearModel()));
    const loading = other.load(await versionOf(linearModel()));
    const outcome = expect(loading).rejects.toMatchObject({ code: 'shutting-down' });
    await other.close();
    await outcome;
    await expect(model.run(row(1, 2))).rejects.toMatchObject({ code: 'model-not-ready' });
  });
});

describe('the wait for a run', () => {
  /** Sleeps end at once, but for those of process limits. */
  const hasty: Clock = {
    now: () => 0,
    sleep: (ms, signal) =>
      ms === 5 ? Promise.resolve() : new Promise((resolve) => signal?.addEventListener('abort', () => resolve())),
  };

  it.each([
    ['inline', () => createInlineEngine({ clock: hasty })],
    ['host', () => createHostEngine({ ...hostOptions, clock: hasty })],
  ])('ends after its time, %s engine', async (_kind, create) => {
    const engine = create();
    const model = await engine.load(await versionOf(linearModel()));
    await expect(model.run(row(1, 2), undefined, { timeoutMs: 5 })).rejects.toMatchObject({
      code: 'engine-timeout',
      message: expect.stringMatching(/^made\/1 did not answer within 5 ms/),
    });
    expect(elements(await model.run(row(1, 2), undefined, { timeoutMs: 9 }), 'y')).toEqual([9]);
    await engine.close();
  });
});
