import { benchReload } from '../../../bench/serving/reload.ts';
import { figureCommand } from '../../figure-command.ts';

export const command = figureCommand({
  summary: 'swap a large model under load: stall, latency around the swap, wrong answers',
  about: `Starts a server over models that it makes, sends steady requests in an open loop, and replaces the model under them. The answer of a model is its
version, so that each answer is held against the version that it names. Tells the p99 from the catalog's change until half a second after
the new version answers, to that of the time before; how long the serving loop stood still; which versions answered; and what failed or was wrong.
Ends with 1 where a figure is missed. It shares this machine with what it measures: let nothing else run.

  kedge bench reload --rounds 5 --large 1000 --json reload.json`,
  numbers: {
    rounds: { value: 'N', about: 'swaps of each model', default: 3, min: 1, max: 1_000, integer: true },
    seconds: { value: 'S', about: 'of steady load before each swap', default: 4, min: 1, max: 3_600 },
    rate: { value: 'RATE', about: 'requests a second', default: 300, min: 1, max: 100_000 },
    small: { value: 'MIB', about: 'size of one model', default: 64, min: 1, max: 1_500, integer: true },
    large: { value: 'MIB', about: 'size of the other', default: 300, min: 1, max: 1_500, integer: true },
  },
  bench: benchReload,
});
