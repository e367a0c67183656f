import { EventEmitter } from 'node:events';
import { expect, it, vi } from 'vitest';
import { linearModel } from '../contract/onnx/testing/models.ts';
import { silentLog } from '../platform/log.ts';
import { watchCatalog } from './catalog-source.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { TestVolume } from './testing/volume.ts';

// A network file system: another client's writes raise no event here. No local one can be made to behave so.
vi.mock('chokidar', () => ({
  watch: () => Object.assign(new EventEmitter(), { close: () => Promise.resolve() }),
}));

it('the poll sees what no event tells', async () => {
  const clock = new ManualClock();
  const volume = new TestVolume();
  const generations: number[] = [];
  volume.add('m', 1, linearModel());
  await volume.write();
  const source = watchCatalog({
    volume: volume.dir,
    pollMs: 2_000,
    clock,
    log: silentLog,
    onCatalog: ({ generation }) => generations.push(generation),
  });
  await vi.waitFor(() => expect(clock.waits).toEqual([2_000]));
  expect(generations).toEqual([1]);
  await volume.write();
  await clock.advance(1_999);
  expect(generations).toEqual([1]);
  await clock.advance(1);
  await vi.waitFor(() => expect(generations).toEqual([1, 2]));
  await source.close();
  volume.remove();
});
