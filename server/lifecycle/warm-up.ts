import { hasCode } from '../../contract/errors.ts';
import type { Sample } from '../../contract/manifest.ts';
import type { LoadedModel } from '../../engine/engine.ts';
import { madeUpInputs } from '../../engine/made-up.ts';
import { compareOutputs, tensorsOfSample } from '../../engine/samples.ts';
import { WarmUpRefused } from './judge-load.ts';

/**
 * Runs a version before its first request, because a first run is slower than the next ones: its samples, which must come
 * out, or one made-up row, whose values it may refuse.
 * @throws WarmUpRefused `samples-mismatch`; KedgeError as {@link LoadedModel.run} does
 */
export async function warmUp(loaded: LoadedModel, samples: readonly Sample[] = []): Promise<void> {
  for (const [index, sample] of samples.entries()) {
    const outputs = await loaded.run(tensorsOfSample(sample.inputs), Object.keys(sample.outputs));
    const difference = compareOutputs(outputs, tensorsOfSample(sample.outputs), sample.tolerance);
    if (difference === undefined) continue;
    throw new WarmUpRefused({
      code: 'samples-mismatch',
      message: `Sample ${index} of the manifest does not come out here: ${difference}. Publish a version whose samples were made with this very file.`,
    });
  }
  if (samples.length > 0) return;
  try {
    await loaded.run(madeUpInputs(loaded.signature, 'ones', { rows: 1 }));
  } catch (error) {
    // Nobody promised that the model takes ones.
    if (!hasCode(error, 'engine-failed') && !hasCode(error, 'request-invalid')) throw error;
  }
}
