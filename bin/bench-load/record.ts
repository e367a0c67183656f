import type { LoadRequest } from '../../bench/load/load-options.ts';
import { thisMachine } from '../../bench/report/machine.ts';
import type { LoadRecord, RunRecord } from '../../bench/report/record.ts';
import type { Context } from '../command.ts';
import { DEFAULT_LOAD, textIn } from './options.ts';

export interface LoadFacts {
  url: string;
  values: Context['values'];
  requests: readonly LoadRequest[];
  /** Sent by autocannon, and by no schedule. */
  closed: boolean;
}

/** What a run leaves, but for its times and verdicts. */
export function recordOf(
  load: LoadRecord,
  { url, values, requests, closed }: LoadFacts,
): Omit<RunRecord, 'startedAt' | 'seconds' | 'compression' | 'verdicts'> {
  const models = [...new Set(requests.map(({ model }) => model))];
  const shape = closed ? 'closed loop' : (textIn(values, 'load') ?? DEFAULT_LOAD);
  const how = closed
    ? 'Requests were sent by autocannon as fast as each connection was answered, and latencies count from sending: what a user waits for is not measured.'
    : 'Requests were sent when they were due, and latencies count from then.';
  return {
    schemaVersion: 1,
    kind: 'load',
    title: `${shape} to ${models.slice(0, 3).join(', ')}${models.length > 3 ? ` and ${models.length - 3} more` : ''}`,
    machine: thisMachine(),
    settings: { url, ...settingsOf(values) },
    honesty: { real: [how, `${requests.length} bodies went to ${models.length} models at ${url}.`], declared: [] },
    load,
  };
}

/** Headers may hold tokens. */
function settingsOf(values: Context['values']): RunRecord['settings'] {
  const given = Object.entries(values).filter(([name, value]) => value !== undefined && name !== 'header');
  return Object.fromEntries(
    given.map(([name, value]) => [name, Array.isArray(value) ? value.join(' ') : (value as string | boolean)]),
  );
}
