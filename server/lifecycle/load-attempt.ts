import { join } from 'node:path';
import type { CatalogAvailable } from '../../contract/catalog.ts';
import type { Engine, LoadedModel, LoadOptions } from '../../engine/engine.ts';
import { judgeRows } from '../placement.ts';
import { warmUp } from './warm-up.ts';

export interface LoadAttempt extends LoadOptions {
  /** For messages: `demand/8`. */
  name: string;
  entry: CatalogAvailable;
  /** Absolute root of the volume. */
  volume: string;
  /** Told when the engine has it, before its first run. */
  onLoaded(): void;
}

/**
 * Loads a version and warms it up. What the warm-up of a loaded one throws ends with its release.
 * @throws as {@link Engine.load} and {@link warmUp} do
 */
export async function attemptLoad(engine: Engine, attempt: LoadAttempt): Promise<LoadedModel> {
  const { name, entry, volume, onLoaded, ...options } = attempt;
  const { manifest, path, probe } = entry;
  const request = {
    ...{ name, dir: join(volume, path), files: manifest.files, signature: manifest.signature },
    rowOutputs: probe.rowOutputs,
    mergeRows: judgeRows(entry).merge,
    samples: manifest.samples,
    cost: probe,
  };
  const loaded = await engine.load(request, options);
  try {
    onLoaded();
    await warmUp(loaded, manifest.samples);
    return loaded;
  } catch (error) {
    await loaded.release().catch(() => undefined);
    throw error;
  }
}
