import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tensor, Tensors } from '../contract/tensor.ts';
import { compareOutputs } from '../engine/samples.ts';
import { sharedTensors } from '../engine/testing/versions.ts';
import { type SharedCase, type SharedGood, type SharedTensor, sharedModels } from '../tests/shared.ts';
import { tensorFromBinary } from './api/binary-tensor.ts';
import { TextMarks } from './api/byte-strings.ts';
import { binaryRequest, byteStrings, bytesOf, postBinary } from './testing/binary.ts';
import { get, post, startTestServer, type TestServer } from './testing/test-server.ts';
import { TestVolume } from './testing/volume.ts';

const title = sharedModels
  ? 'the shared models answer over HTTP'
  : 'LEFT OUT, there is no ../shared: the shared models answer over HTTP';

/** What a probe sees: outputs that follow the rows although the graph declares one. */
const ROW_OUTPUTS: Record<string, string[]> = { 'cancer-lgbm': ['label', 'probabilities'] };

describe.skipIf(!sharedModels)(title, () => {
  const { dir, good } = sharedModels ?? { dir: '', good: [] };

  function addTo(volume: TestVolume, model: SharedGood): void {
    const folder = join(dir, model.dir);
    const names = readdirSync(folder).filter((name) => name !== 'model.onnx');
    const files = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name))]));
    const probe = { rowOutputs: ROW_OUTPUTS[model.name] ?? [] };
    volume.add(model.name, 1, readFileSync(join(folder, 'model.onnx')), { files, probe });
  }

  describe.each(['inline', 'host'])('%s', (engine) => {
    let volume: TestVolume;
    let server: TestServer;
    beforeAll(async () => {
      volume = new TestVolume();
      for (const model of good) addTo(volume, model);
      await volume.write();
      server = await startTestServer(volume, { KEDGE_ENGINE: engine });
      await server.settle();
    }, 120_000);
    afterAll(async () => {
      await server.stop();
      volume.remove();
    });

    const url = (name: string): string => `${server.url}/v2/models/${name}/infer`;
    const overJson = async ({ request }: SharedRequest): Promise<Answer> => {
      const { status, body } = await post(url(request.model), { inputs: request.inputs });
      return { status, code: body.code, outputs: sharedTensors(body.outputs ?? []) };
    };
    const overBinary = async ({ request }: SharedRequest): Promise<Answer> => {
      const { json, blobs } = binaryForm(request.inputs);
      const { status, json: body, blobs: got } = await postBinary(url(request.model), binaryRequest(json, ...blobs));
      return { status, code: body.code, outputs: tensorsOfAnswer(body.outputs ?? [], got) };
    };
    const ways = [overJson, overBinary];

    function expectRight(one: SharedCase, { status, outputs }: Answer): void {
      const wanted = sharedTensors(one.response_outputs);
      expect([one.note, status, compareOutputs(outputs, wanted, one.tolerance)]).toEqual([one.note, 200, undefined]);
    }

    it.each(good.map((model) => [model.name, model] as const))('%s, one after another', async (name, model) => {
      expect(server.manager.model(name)?.active?.placement.engine).toBe(engine);
      for (const [index, infer] of ways.entries()) {
        for (const one of model.cases) {
          const answer = await infer(requestOf(name, one));
          if (isRefused(name, one)) expect([one.note, answer.status]).toEqual([one.note, 400]);
          else expectRight(one, answer);
        }
        for (const { note, request } of model.errors ?? []) {
          expectRefused(note, request, await infer(requestOf(name, { request })));
          expectRight(model.cases[0]!, await ways[1 - index]!(requestOf(name, model.cases[0]!)));
        }
      }
    });

    it.each(good.map((model) => [model.name, model] as const))('%s, many at once', async (name, model) => {
      const { merging } = server.manager.model(name)!.active!;
      if (!model.batchable) expect(merging?.merges ?? false).toBe(false);
      const cases = model.cases.filter((one) => !isRefused(name, one));
      const runs = async (): Promise<number> =>
        (await get(`${server.url}/v2/models/${name}/stats`)).body.model_stats[0].execution_count;
      const before = await runs();
      const asked = Array.from({ length: ROUNDS }, () => cases).flat();
      const answers = await Promise.all(asked.map((one, index) => ways[index % 2]!(requestOf(name, one))));
      for (const [index, one] of asked.entries()) expectRight(one, answers[index]!);
      const requests = asked.filter(({ request }) => !isEmpty(request)).length;
      const ran = (await runs()) - before;
      if (merging?.merges) expect([name, ran < requests]).toEqual([name, true]);
      else expect([name, ran]).toEqual([name, requests]);

      // What the runtime refuses, between requests that it answers.
      for (const { note, request } of model.errors ?? []) {
        const one = requestOf(name, model.cases[0]!);
        const [first, wrong, last] = await Promise.all([
          overBinary(one),
          overJson(requestOf(name, { request })),
          overBinary(one),
        ]);
        expectRefused(note, request, wrong);
        for (const answer of [first, last]) expectRight(model.cases[0]!, answer);
      }
    });

    it('some are merged, and those whose rows are not independent never', () => {
      const merged = good.filter(({ name }) => server.manager.model(name)!.active!.merging?.merges);
      expect(merged.filter(({ batchable }) => !batchable)).toEqual([]);
      expect(merged.length).toBeGreaterThanOrEqual(15);
    });

    it('the OpenAPI document of them all is valid', async () => {
      const { body } = await get(`${server.url}/openapi.json`);
      expect(await new Validator().validate(body)).toMatchObject({ valid: true });
      expect(body.tags).toHaveLength(good.length + 1);
    });
  });
});

/** How often each case is asked at the same time. */
const ROUNDS = 6;

interface SharedRequest {
  request: { model: string; inputs: readonly SharedTensor[] };
}

interface Answer {
  status: number;
  code: string | undefined;
  outputs: Tensors;
}

function requestOf(model: string, { request }: Pick<SharedCase, 'request'>): SharedRequest {
  return { request: { model, inputs: request.inputs } };
}

/** The request as tritonclient sends it: all tensors in binary, and all of the answer wanted so. */
function binaryForm(inputs: readonly SharedTensor[]): { json: object; blobs: Uint8Array[] } {
  const tensors = [...sharedTensors(inputs)].map(([name, tensor]) => ({ name, tensor, blob: blobOf(tensor) }));
  return {
    json: {
      parameters: { binary_data_output: true },
      inputs: tensors.map(({ name, tensor: { datatype, shape }, blob }) => ({
        name,
        datatype,
        shape,
        parameters: { binary_data_size: blob.length },
      })),
    },
    blobs: tensors.map(({ blob }) => blob),
  };
}

function blobOf({ data }: Tensor): Uint8Array {
  return Array.isArray(data) ? byteStrings(...data) : bytesOf(data);
}

/** Outputs in binary, and the empty ones, which have no blob. */
function tensorsOfAnswer(outputs: (SharedTensor & { data?: unknown[] })[], blobs: Record<string, Buffer>): Tensors {
  return new Map(
    outputs.map(({ name, datatype, shape, data }): [string, Tensor] => {
      if (data !== undefined) expect([name, data]).toEqual([name, []]);
      const marks = new TextMarks();
      return [name, tensorFromBinary(name, datatype, shape, blobs[name] ?? Buffer.alloc(0), marks)];
    }),
  );
}

/** Empty requests whose answer would not be empty: it would have to be made of nothing, so they are refused. */
const REFUSED: Record<string, string[]> = {
  'vector-stats': ['no values'],
  'pair-distance': ['no dimensions: distance 0'],
};

const isRefused = (name: string, { note }: SharedCase): boolean => REFUSED[name]?.includes(note) ?? false;

const isEmpty = ({ inputs }: { inputs: readonly { shape: number[] }[] }): boolean =>
  inputs.some(({ shape }) => shape.includes(0));

/** What the runtime refuses or dies of gets a sentence, or empty tensors where only those can be right. */
function expectRefused(
  note: string,
  request: { inputs: readonly SharedTensor[] },
  { status, code, outputs }: Answer,
): void {
  if (status !== 200) expect([note, status, code]).toEqual([note, 400, 'request-invalid']);
  else expect([note, isEmpty(request)]).toEqual([note, true]);
  for (const { data } of outputs.values()) expect([note, data.length]).toEqual([note, 0]);
}
