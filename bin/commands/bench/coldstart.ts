import { benchColdStart } from '../../../bench/serving/coldstart.ts';
import { figureCommand } from '../../figure-command.ts';

export const command = figureCommand({
  summary: 'from the spawn of a server to its first right answer, by phase',
  about: `Starts the bundle of Kedge over a volume with one model, and in turns with it the smallest script that does the same with node:http and onnxruntime-node,
and asks both each millisecond until they answer. Right is what both say. Tells the time until they listen, until the model is loaded, and until the answer.
Ends with 1 where the figure is missed. A clone makes a bundle first. With the folder shared/ beside a clone the model is an ensemble of trees, else a perceptron of 22 MB.

  kedge bench coldstart --rounds 30`,
  numbers: {
    rounds: { value: 'N', about: 'starts of each', default: 15, min: 1, max: 1_000, integer: true },
  },
  bench: benchColdStart,
});
