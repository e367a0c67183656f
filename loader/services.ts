import type { LimitFunction } from 'p-limit';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { BucketReader } from './bucket-reader.ts';
import type { JudgingLimits } from './judged-by.ts';
import type { LoaderMetrics } from './metrics.ts';
import type { ModelContracts } from './model-contract.ts';
import type { Volume } from './volume.ts';

/** What the work on one version needs of the loader around it. */
export interface Services {
  reader: BucketReader;
  contracts: ModelContracts;
  volume: Volume;
  config: JudgingLimits;
  metrics: LoaderMetrics;
  clock: Clock;
  /** In [0, 1), for jitter. */
  random: () => number;
  log: Log;
  /** So many versions are fetched at once; and so many are probed, so that a slow probe keeps nobody from fetching. */
  fetching: LimitFunction;
  probing: LimitFunction;
}
