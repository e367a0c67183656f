import { expect, it, onTestFinished } from 'vitest';
import { linearModel } from '../contract/onnx/testing/models.ts';
import { createHostEngine } from './host-engine.ts';
import { hostOptions } from './testing/engines.ts';
import { versionOf } from './testing/versions.ts';

const MB = 2 ** 20;
const light = { loadMs: 1, runMs: 1, memoryBytes: 1e6 };
/** 32 MiB of weights. */
const WEIGHTS = 32 * MB;
const large = linearModel({ weights: new Array<number[]>(2).fill(new Array<number>(WEIGHTS / 8).fill(1)) });

it('a model tells what it takes: all of its own process, or what its load added to a shared one', async () => {
  const engine = createHostEngine(hostOptions);
  onTestFinished(() => engine.close());
  const alone = await engine.load(await versionOf(linearModel()));
  const largeAlone = await engine.load(await versionOf(large));
  const shared = await engine.load({ ...(await versionOf(linearModel())), cost: light });
  const largeShared = await engine.load({ ...(await versionOf(large)), cost: light });
  const [own, ownLarge, part, partLarge] = [alone, largeAlone, shared, largeShared].map((one) => one.memoryBytes!);
  // The process itself counts where nobody shares it.
  expect(own).toBeGreaterThan(10 * MB);
  expect(ownLarge! - own!).toBeGreaterThan(WEIGHTS * 0.9);
  expect(part).toBeLessThan(8 * MB);
  expect(partLarge).toBeGreaterThan(WEIGHTS * 0.9);
  expect(partLarge).toBeLessThan(WEIGHTS * 3);
});
