import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedModels } from '../shared.ts';
import { describeBuckets } from './buckets.ts';
import { difference } from './compare.ts';
import { postJson, type Stage, waitForActive } from './stage.ts';

/** Zero-size axes never reach the runtime; where the empty answer does not follow from the shapes the request is refused. */
const REFUSED = new Set(['vector-stats', 'pair-distance']);

const title = `real models${sharedModels ? '' : ' (left out: no shared models beside this clone)'}`;

describe.skipIf(!sharedModels)(title, () => {
  describeBuckets('published, they answer as wanted', (bucket) => {
    let stage: Stage;
    let url: string;

    beforeAll(async () => {
      stage = await bucket.open();
      for (const { name, dir } of sharedModels!.good) {
        const { code, err } = await stage.kedge(['publish', join(sharedModels!.dir, dir), '--model', name]);
        expect(code, err).toBe(0);
      }
      await stage.startLoader();
      ({ url } = await stage.startServer());
    }, 240_000);
    afterAll(async () => {
      await stage?.close();
      await bucket.close();
    });

    it.each((sharedModels?.good ?? []).map((model) => [model.name, model] as const))(
      '%s',
      async (name, model) => {
        await waitForActive(url, name, 1, 120_000);
        for (const example of model.cases) {
          const { status, headers, body } = await postJson(`${url}/v2/models/${name}/infer`, example.request);
          if (status === 400 && isEmpty(example.request.inputs)) {
            expect(REFUSED.has(name), `${example.note}: ${body.error}`).toBe(true);
            continue;
          }
          expect(status, `${example.note}: ${body.error}`).toBe(200);
          expect(difference(example, body.outputs), example.note).toBeUndefined();
          expect(body.model_version).toBe('1');
          expect(headers.get('kedge-model-version')).toBe('1');
          expect(headers.get('kedge-model-digest')).toMatch(/^sha256:[0-9a-f]{64}$/);
        }
      },
      150_000,
    );
  });
});

const isEmpty = (inputs: { shape: number[] }[]): boolean => inputs.some((input) => input.shape.includes(0));
