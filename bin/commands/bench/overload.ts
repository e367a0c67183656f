import { benchOverload } from '../../../bench/serving/overload.ts';
import { figureCommand } from '../../figure-command.ts';

export const command = figureCommand({
  summary: 'ask for more than can be answered: what still comes in time',
  about: `Starts a server for each of its models, on a core of its own where there are two, measures the peak by a closed loop, and then offers its multiple in an open loop,
each request with a deadline. Tells what came with status 200 within the deadline, from when the request was scheduled, to the peak; and what was late, refused, failed or never sent.
Ends with 1 where a figure is missed. In a clone with the folder shared/ beside it, an ensemble of trees is one of the models.

  kedge bench overload --times 5 --deadline 100`,
  numbers: {
    rounds: { value: 'N', about: 'rounds for each model', default: 3, min: 1, max: 1_000, integer: true },
    seconds: { value: 'S', about: 'of each load', default: 4, min: 1, max: 3_600 },
    times: { value: 'N', about: 'the load, to the peak', default: 3, min: 0.01, max: 100 },
    deadline: { value: 'MS', about: 'that requests have', default: 50, min: 1, max: 60_000 },
    connections: { value: 'N', about: 'most requests under way', default: 256, min: 1, max: 10_000, integer: true },
  },
  bench: benchOverload,
});
