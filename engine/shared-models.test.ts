import { afterAll, describe, expect, it } from 'vitest';
import { type SharedGood, sharedModels } from '../tests/shared.ts';
import type { LoadedModel } from './engine.ts';
import { compareOutputs } from './samples.ts';
import { engines } from './testing/engines.ts';
import { sharedTensors, sharedVersion } from './testing/versions.ts';

const title = sharedModels ? '' : ' (left out: ../shared/models is not here)';

/** Zero-size requests whose answer would be made of nothing: refused with a sentence. */
const REFUSED: Record<string, string[]> = {
  'vector-stats': ['no values'],
  'pair-distance': ['no dimensions: distance 0'],
};
/** What a probe sees: outputs that follow the rows although the graph declares one. */
const ROW_OUTPUTS: Record<string, string[]> = { 'cancer-lgbm': ['label', 'probabilities'] };

describe.skipIf(!sharedModels).each(engines)(`the shared models, %s engine${title}`, (_kind, create) => {
  const engine = create();
  afterAll(() => engine.close());

  it.each(sharedModels?.good ?? [])('$name answers every case', async (good: SharedGood) => {
    const version = { ...(await sharedVersion(sharedModels!, good)), rowOutputs: ROW_OUTPUTS[good.name] };
    const model = await engine.load(version);
    for (const [index, entry] of good.cases.entries()) {
      const run = model.run(sharedTensors(entry.request.inputs));
      if (REFUSED[good.name]?.some((note) => entry.note.startsWith(note))) {
        await expect(run, entry.note).rejects.toMatchObject({ code: 'request-invalid' });
        continue;
      }
      const difference = compareOutputs(await run, sharedTensors(entry.response_outputs), entry.tolerance);
      expect(difference, `case ${index}: ${entry.note}`).toBeUndefined();
    }
    await refuseErrors(model, good);
    await model.release();
  });
});

/** Each request that the runtime refuses, or that kills it, is refused or answered with empty tensors; the next one gets its answer. */
async function refuseErrors(model: LoadedModel, good: SharedGood): Promise<void> {
  const [first] = good.cases;
  for (const { note, request } of good.errors ?? []) {
    const inputs = sharedTensors(request.inputs);
    const empty = [...inputs.values()].some(({ shape }) => shape.includes(0));
    const got = await model.run(inputs).catch((error: unknown) => error);
    if (got instanceof Map) {
      expect(empty, note).toBe(true);
      for (const { data } of got.values()) expect(data, note).toHaveLength(0);
    } else expect(got, note).toMatchObject({ code: 'request-invalid' });
    const answer = await model.run(sharedTensors(first!.request.inputs));
    expect(compareOutputs(answer, sharedTensors(first!.response_outputs), first!.tolerance), note).toBeUndefined();
  }
}
