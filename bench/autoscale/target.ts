import { TestVolume } from '../../server/testing/volume.ts';
import { addProbed } from '../kedge-server.ts';
import type { LoadRequest } from '../load/load-options.ts';
import { small } from '../serving/models.ts';

/** What pods serve, and what they are asked. */
export interface LoadTarget {
  volume: string;
  /** Requests of the load, once there is a server to ask at this address. */
  requests(url: string): Promise<readonly LoadRequest[]>;
  /** What it is, for the report. */
  about: string;
  remove(): void;
}

/** A model that is made on the spot, so that a run needs no preparation: y = 2 a + 3 b + 1, of which every answer is checked. */
export async function builtInTarget(): Promise<LoadTarget> {
  const volume = new TestVolume();
  const model = small('bench');
  try {
    await addProbed(volume, model);
    await volume.write();
  } catch (error) {
    volume.remove();
    throw error;
  }
  const wanted = { name: model.output, datatype: 'FP32', shape: [1, 1], data: [2 * 1 + 3 * 2 + 1] };
  return {
    volume: volume.dir,
    requests: async () => [{ model: model.name, weight: 1, body: model.body, check: { outputs: [wanted] } }],
    about: 'a linear model of two features, made for this run; every answer is held against the right one',
    remove: () => volume.remove(),
  };
}
