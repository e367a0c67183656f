import type { ServedModel } from './served-model.ts';
import type { ServedVersion } from './served-version.ts';

/** The models that the routes answer for. */
export interface ModelTable {
  model(name: string): ServedModel | undefined;
  models(): Iterable<ServedModel>;
  /** Waits until a version of a lazy model is loaded, no longer than `limitMs`. @throws KedgeError `model-not-ready` */
  wake(version: ServedVersion, limitMs?: number): Promise<void>;
  /** Bytes that a version takes; undefined while nothing of it is loaded. */
  memoryOf(version: ServedVersion): number | undefined;
}
