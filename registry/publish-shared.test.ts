import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedModels } from '../tests/shared.ts';
import { inspect } from './inspect.ts';
import { openStore } from './open-store.ts';
import { publish } from './publish.ts';
import { listKeys } from './testing/object-store-suite.ts';
import { useFolder } from './testing/stores.ts';

const title = sharedModels
  ? 'publish of real models'
  : 'publish of real models (left out: there are none beside the clone)';

describe.skipIf(!sharedModels)(title, () => {
  const folder = useFolder();
  const open = async () => openStore(`file://${await folder({})}`);
  const source = (dir: string): string => join(sharedModels!.dir, dir);

  it.each(sharedModels?.good ?? [])('takes $name whole', async ({ dir, files }) => {
    const store = await open();
    const published = await publish({ store, model: 'm', source: source(dir) });
    const wanted = files.filter(({ path }) => published.files.some((file) => file.path === path));
    expect(published.files).toEqual(
      wanted.toSorted((a, b) => (a.path === 'model.onnx' ? -1 : b.path === 'model.onnx' ? 1 : 0)),
    );
    expect((await inspect(store, 'm', 1, { verify: true })).refusals).toEqual([]);
  });

  const hopeless = (sharedModels?.bad ?? []).filter(({ expected }) => expected === 'refuse-before-load');
  it.each(hopeless)('refuses $name ($why) before it claims a number', async ({ dir }) => {
    const store = await open();
    await expect(publish({ store, model: 'm', source: source(dir) })).rejects.toMatchObject({
      code: 'source-invalid',
    });
    expect(await listKeys(store, '')).toEqual([]);
  });
});
