import { saturate } from '../../bench/load/closed-loop.ts';
import { driveLoad, type LoadHooks } from '../../bench/load/drive-load.ts';
import type { LoadRequest } from '../../bench/load/load-options.ts';
import { durationOf, type Schedule } from '../../bench/load/schedule.ts';
import { parseSchedule } from '../../bench/load/schedule-spec.ts';
import type { LoadRecord } from '../../bench/report/record.ts';
import { KedgeError } from '../../contract/errors.ts';
import type { Context } from '../command.ts';
import { LOOP_IDLE } from '../idle/load.ts';
import { refuseByRules } from '../idle-options.ts';
import type { readNumbers } from '../number-option.ts';
import { readText } from '../read-text.ts';
import { DEFAULT_LOAD, type NUMBERS, textIn } from './options.ts';

/** How the requests of a load are sent. */
export interface Sending {
  /** By autocannon, and by no schedule. */
  closed: boolean;
  /** On the clock of the run. */
  seconds: number;
  compression: number;
  /** @throws KedgeError `config-invalid`; Error where a thread dies */
  send(url: string, requests: readonly LoadRequest[], hooks: LoadHooks): Promise<LoadRecord>;
}

/** @throws KedgeError `config-invalid` where the options contradict each other, or one of them does nothing */
export function sendingOf(values: Context['values'], numbers: ReturnType<typeof readNumbers<typeof NUMBERS>>): Sending {
  const { tool } = values;
  if (tool !== undefined && tool !== 'autocannon')
    throw new KedgeError('config-invalid', `--tool takes autocannon, not '${String(tool)}'.`);
  const closed = tool !== undefined;
  refuseByRules(values, LOOP_IDLE, { closed });
  const timeoutMs = numbers.timeout * 1_000;
  const { seed, compression, outstanding, workers, deadline, reconnect, connections, seconds } = numbers;
  if (closed) {
    return {
      closed,
      seconds,
      compression: 1,
      send: (url, requests, hooks) => saturate({ url, requests, connections, seconds, seed, timeoutMs }, hooks),
    };
  }
  const schedule: Schedule = parseSchedule(textIn(values, 'load') ?? DEFAULT_LOAD, readText);
  const options = {
    ...{ schedule, timeoutMs, compression, seed, maxOutstanding: outstanding, coarse: values['coarse'] === true },
    ...(workers !== undefined && { workers }),
    ...(deadline !== undefined && { deadlineMs: deadline }),
    ...(reconnect !== undefined && { requestsPerConnection: reconnect }),
  };
  return {
    closed,
    seconds: durationOf(schedule),
    compression,
    send: (url, requests, hooks) => driveLoad({ ...options, url, requests }, hooks),
  };
}
