import { runOnCluster } from '../../bench/autoscale/cluster-run.ts';
import { openCluster } from '../../bench/autoscale/kube/kubectl.ts';
import type { RunHooks } from '../../bench/autoscale/local-run.ts';
import { clusterRecordOf } from '../../bench/autoscale/record.ts';
import { parseUrl } from '../../bench/load/command-options.ts';
import { durationOf } from '../../bench/load/schedule.ts';
import type { RunRecord } from '../../bench/report/record.ts';
import { KedgeError } from '../../contract/errors.ts';
import { isoTime, systemClock } from '../../platform/clock.ts';
import type { Context } from '../command.ts';
import { refuseIdle } from '../idle-options.ts';
import { readNumbers } from '../number-option.ts';
import { loadOf, NUMBERS, requestsAt, settingsOf, textIn } from './options.ts';

/** What only pods of this machine can be told. */
const LOCAL_ONLY = [
  'hpa',
  'min',
  'max',
  'capacity',
  'compress',
  'service-ms',
  'start-delay',
  'pre-stop',
  'scrape',
  'window',
  'sync',
  'cpu-request',
  'kill-at',
  'pause',
  'volume',
];

/** A run against a cluster that is there. @throws KedgeError */
export async function runThere({ values, err }: Pick<Context, 'values' | 'err'>, hooks: RunHooks): Promise<RunRecord> {
  refuseIdle(values, LOCAL_ONLY, 'cannot be had of a cluster that is there: leave out --cluster, or these.');
  const address = textIn(values, 'url');
  if (address === undefined) {
    throw new KedgeError('config-invalid', '--cluster needs --url, where the gateway of the cluster takes requests.');
  }
  const numbers = readNumbers(NUMBERS, values);
  const url = parseUrl(address);
  const where = { context: textIn(values, 'context'), namespace: textIn(values, 'namespace') ?? 'kedge' };
  const load = loadOf(values);
  const startedAt = isoTime(systemClock.now());
  const requests = await requestsAt(url, values);
  const access = await openCluster(where);
  try {
    err.write(`${durationOf(load.schedule)} s of load to ${url}; namespace ${where.namespace} is watched\n`);
    const result = await runOnCluster(
      {
        load: { ...load, url, requests, requestsPerConnection: numbers.reconnect },
        objects: access.objects,
        autoscaler: textIn(values, 'autoscaler'),
        lookSeconds: numbers.look,
      },
      hooks,
    );
    return clusterRecordOf(result, {
      startedAt,
      // Defaults of what it was not told would tell of another cluster than the one that there was.
      settings: Object.fromEntries(Object.entries(settingsOf(values)).filter(([name]) => !LOCAL_ONLY.includes(name))),
      seconds: durationOf(load.schedule),
      url,
      lookSeconds: numbers.look,
    });
  } finally {
    await access.close();
  }
}
