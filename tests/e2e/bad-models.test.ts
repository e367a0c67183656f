import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readHeadOfBytes } from '../../contract/onnx/head.ts';
import { type SharedBad, sharedModels } from '../shared.ts';
import { describeBuckets } from './buckets.ts';
import { linearModel, standIn } from './models.ts';
import { eventually } from './programs.ts';
import { getJson, type Stage, versionStatus, waitForActive } from './stage.ts';

/** What each is refused for. Those that load and run are good versions: they go live, or say what of them cannot be served. */
const CODES: Record<string, string[]> = {
  truncated: ['onnx-truncated'],
  'zero-bytes': ['onnx-empty'],
  'html-page': ['onnx-not-a-model'],
  'fresh-export': ['ir-version', 'opset'],
  'opset-99': ['opset'],
  'custom-domain': ['operator-domain'],
  'external-parent': ['external-data-path'],
  'external-missing': ['external-data-missing'],
  'external-short': ['bare-several-files', 'external-data-short'],
  'type-mismatch': ['load-failed'],
  'missing-node-input': ['load-failed'],
  'dims-overflow': ['tensor-too-large'],
  'huge-alloc': ['memory-limit', 'run-timeout'],
  'endless-loop': ['run-timeout'],
  'proto-output': ['name-unusable'],
  'two-files': ['model-file-missing'],
  'no-outputs': ['no-inputs-or-outputs'],
  'slow-load': ['load-timeout', 'memory-limit'],
  'nested-ifs': ['onnx-malformed', 'load-failed'],
  'needs-locale': ['load-failed'],
  'int-division': ['process-crashed'],
  'function-bomb': ['function-depth'],
  'function-chain': ['function-depth'],
};
const SERVED = ['proto-input', 'traced-batch'];

/** A good version 1 with the signature of the bad one, so that nothing but its own fault can refuse it. */
function versionBefore(file: string): Uint8Array {
  const head = readHeadOfBytes(readFileSync(file));
  if (!head.ok || head.head.outputs.length === 0) return linearModel({ weight: 1 });
  type Value = Parameters<typeof standIn>[0][number];
  const values = (list: typeof head.head.outputs): Value[] =>
    list.map(({ name, type, dims }) => ({
      name,
      type: type.slice('tensor('.length, -1) as 'float',
      dims: (dims ?? []).map((dim) => dim ?? null),
    }));
  const outputs = head.head.outputs.filter(({ name }) => name !== '__proto__');
  return standIn(values(head.head.inputs), values(outputs));
}

const title = `bad files${sharedModels ? '' : ' (left out: no shared models beside this clone)'}`;

describe.skipIf(!sharedModels)(title, () => {
  const bad = sharedModels?.bad ?? [];
  const folder = ({ dir }: SharedBad): string => join(sharedModels!.dir, dir);

  it('all are told of here', () =>
    expect([...Object.keys(CODES), ...SERVED].sort()).toEqual(bad.map(({ name }) => name).sort()));

  describeBuckets('dropped bare beside a good version 1', (bucket) => {
    let stage: Stage;
    let url: string;

    beforeAll(async () => {
      stage = await bucket.open();
      await stage.startLoader();
      ({ url } = await stage.startServer());
      for (const entry of bad)
        await stage.drop(`${entry.name}/1/model.onnx`, versionBefore(join(folder(entry), entry.model ?? 'model.onnx')));
      for (const entry of bad) await waitForActive(url, entry.name, 1, 120_000);
      // What belongs to a model before the model, which alone is judged at once.
      const lastIsModel = (file: string): number => (file.endsWith('.onnx') ? 1 : 0);
      for (const entry of bad)
        for (const file of readdirSync(folder(entry)).sort((a, b) => lastIsModel(a) - lastIsModel(b)))
          await stage.drop(`${entry.name}/2/${file}`, readFileSync(join(folder(entry), file)));
    }, 300_000);
    afterAll(async () => {
      await stage?.close();
      await bucket.close();
    });

    it.each(Object.entries(CODES))(
      '%s is refused',
      async (name, codes) => {
        const status = await eventually(
          async () => {
            const found = await versionStatus(url, name, 2);
            return found && (found.state === 'refused' || found.state === 'failed') && found;
          },
          `${name} refused`,
          120_000,
        );
        const reasons = status.reasons ?? [];
        expect(codes, JSON.stringify(reasons)).toContain(reasons[0]?.code);
        for (const { message } of reasons) expect(message).toMatch(/^['A-Zm].{20,}\.$/s);
        expect((await getJson(`${url}/v2/models/${name}/versions`)).body.active).toBe('1');
        expect((await getJson(`${url}/v2/models/${name}/ready`)).status).toBe(200);
      },
      150_000,
    );

    it.each(SERVED)('%s is served', async (name) => waitForActive(url, name, 2, 120_000), 150_000);
  });
});
