/**
 * Publishes, and kills its own process at a step: as the power cut would. For registry/publish-kill.test.ts.
 * Arguments: bucket URL, source, publisher, and the step before which it dies, or `upload` to die in the midst of a file.
 */
import { openStore } from '../registry/open-store.ts';
import { publish } from '../registry/publish.ts';

const [url, source, publisher, killAt] = process.argv.slice(2);

/** More than a graph, less than the weights beside it. */
const MIDST = 2 ** 20;

const die = (): void => void process.kill(process.pid, 'SIGKILL');

const store = openStore(url!);
const { version } = await publish({
  store,
  source: source!,
  model: 'demand',
  publisher,
  onStep: (step) => {
    if (step === killAt) die();
  },
  onProgress: ({ phase, bytes, totalBytes }) => {
    if (killAt === 'upload' && phase === 'upload' && bytes > MIDST && bytes < totalBytes) die();
  },
});
process.stdout.write(String(version));
