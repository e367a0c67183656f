import { commonSettings } from '../platform/common-settings.ts';
import { integer, mebibytes, seconds, type Values } from '../platform/settings.ts';
import { bucketSettings } from '../registry/config.ts';

/** Everything that the loader can be told. Times in milliseconds and sizes in bytes once read. */
export const loaderSettings = {
  ...bucketSettings,
  ...commonSettings,
  port: integer('KEDGE_LOADER_PORT', 'port of /livez, /startupz, /readyz and /metrics', {
    min: 0,
    max: 65535,
    default: '8082',
  }),
  pollMs: seconds('KEDGE_POLL_SECONDS', 'how often the index of the bucket is asked for', {
    min: 0.1,
    max: 3600,
    default: '10',
  }),
  listMs: seconds('KEDGE_LIST_SECONDS', 'how often the whole bucket is listed, to find models copied in by hand', {
    min: 0.1,
    max: 86_400,
    default: '60',
  }),
  keep: integer('KEDGE_KEEP', 'how many versions of a model stay on the volume, for each code that they need', {
    min: 1,
    max: 100,
    default: '2',
  }),
  graceMs: seconds('KEDGE_KEEP_SECONDS', 'how long a version stays after another took over from it', {
    min: 0,
    max: 86_400,
    default: '300',
  }),
  concurrency: integer('KEDGE_CONCURRENCY', 'how many versions are fetched, and how many probed, at once', {
    min: 1,
    max: 64,
    default: '4',
  }),
  probeLoadMs: seconds('KEDGE_PROBE_LOAD_SECONDS', 'limit of the load of a new version in its probe', {
    min: 0.1,
    max: 3600,
    default: '60',
  }),
  probeRunMs: seconds('KEDGE_PROBE_RUN_SECONDS', 'limit of each run in the probe', {
    min: 0.1,
    max: 3600,
    default: '10',
  }),
  probeMemoryBytes: mebibytes('KEDGE_PROBE_MEMORY_MB', 'limit of the memory of the probe', {
    min: 64,
    max: 4_194_304,
    default: '2048',
  }),
  maxVersionBytes: mebibytes('KEDGE_MAX_VERSION_MB', 'a version whose files are larger together is refused', {
    min: 1,
    max: 4_194_304,
    default: '10240',
  }),
  lockStaleMs: seconds('KEDGE_LOCK_STALE_SECONDS', 'after this silence of another loader its lock counts as left', {
    min: 2,
    max: 600,
    default: '10',
  }),
};

export type LoaderConfig = Values<typeof loaderSettings>;
