import { createWriteStream, readFileSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { readBodies, readWanted } from '../../../bench/load/body-files.ts';
import { saturate } from '../../../bench/load/closed-loop.ts';
import { parseHeader, parseTarget, parseUrl, readByModel } from '../../../bench/load/command-options.ts';
import { driveLoad, type LoadHooks } from '../../../bench/load/drive-load.ts';
import { showLive } from '../../../bench/load/live.ts';
import type { LoadRequest } from '../../../bench/load/load-options.ts';
import { durationOf, type Schedule } from '../../../bench/load/schedule.ts';
import { parseSchedule, SHAPES } from '../../../bench/load/schedule-spec.ts';
import { summaryOf } from '../../../bench/load/summary.ts';
import { requestsFor } from '../../../bench/load/targets.ts';
import { judge, readAssertions } from '../../../bench/report/assertions.ts';
import { thisMachine } from '../../../bench/report/machine.ts';
import type { LoadInterval, LoadRecord, RunRecord } from '../../../bench/report/record.ts';
import { KedgeError } from '../../../contract/errors.ts';
import { isoTime, systemClock } from '../../../platform/clock.ts';
import { type Command, type Context, INTERRUPTED } from '../../command.ts';
import { concludeBench, makeFiles, RECORD_OPTIONS } from '../../conclude-bench.ts';
import { refuseIdle } from '../../idle-options.ts';
import { asOptions, readNumbers } from '../../number-option.ts';
import { readText } from '../../read-text.ts';

const DEFAULT_LOAD = 'poisson:100/30s';

const NUMBERS = {
  bodies: { about: 'bodies that are made up for a model', value: 'N', min: 1, max: 10_000, integer: true, default: 16 },
  rows: { about: 'rows of a body that is made up', value: 'N', min: 1, max: 100_000, integer: true, default: 1 },
  outstanding: {
    about: 'most requests under way; more are dropped',
    value: 'N',
    min: 1,
    integer: true,
    default: 1_000,
  },
  timeout: { about: 'seconds until a request has failed', value: 'S', min: 0.001, max: 3_600, default: 10 },
  deadline: { about: 'milliseconds that the server is told it has', value: 'MS', min: 1 },
  seed: { about: 'of what is drawn', value: 'N', min: 0, max: 2 ** 31, integer: true, default: 1 },
  workers: { about: 'threads that send; a quarter of the cores if absent', value: 'N', min: 1, max: 64, integer: true },
  compression: { about: 'seconds of the schedule for one on the wall', value: 'X', min: 0.01, max: 1_000, default: 1 },
  reconnect: { about: 'requests until a connection is closed', value: 'N', min: 1, integer: true },
  connections: { about: 'of autocannon', value: 'N', min: 1, max: 10_000, integer: true, default: 64 },
  seconds: { about: 'that autocannon sends for', value: 'S', min: 1, max: 86_400, default: 10 },
} as const;

export const command: Command = {
  summary: 'send requests as a schedule says, and check the answers',
  usage: 'URL [--load SHAPE] [--model NAME[=WEIGHT]]… [--body FILE]…',
  about: `Sends requests when they are due, whether those before are answered or not (an open loop), and measures each from then. With
nothing but a URL it asks the server for its models, and makes bodies up. An answer is right if it is the same as the first of its version.

Shapes of a load, joined with +; each takes the options poisson and even:
  ${Object.values(SHAPES).join('\n  ')}
Rates are requests per second of the wall.

Exit code 1 if --assert does not hold; without it, if an answer was wrong or none was right; of autocannon, if any failed.

Example: kedge bench load http://127.0.0.1:8080 --load 'ramp:10..200/30s,poisson' --report load.html`,
  positionals: { min: 1, max: 1 },
  options: {
    load: { type: 'string', value: 'SHAPE', about: `rates over time (${DEFAULT_LOAD})` },
    model: {
      type: 'string',
      multiple: true,
      value: 'NAME[=WEIGHT]',
      about: 'a model to ask, or NAME/VERSION; all that are ready if none is named',
    },
    body: {
      type: 'string',
      multiple: true,
      value: '[MODEL=]FILE',
      about: 'its requests: JSON, JSON lines, or JSON with binary tensors behind it',
    },
    wanted: {
      type: 'string',
      multiple: true,
      value: '[MODEL=]FILE',
      about: 'answers that are right, one for each body: JSON or JSON lines',
    },
    binary: { type: 'boolean', about: 'bodies that are made up, and their answers, are binary' },
    path: { type: 'string', value: 'PATH', about: 'where to send --body, in place of the inference of a model' },
    header: { type: 'string', multiple: true, value: 'NAME: VALUE', about: 'sent with every request' },
    'status-only': { type: 'boolean', about: 'take any answer with status 200 as right' },
    coarse: { type: 'boolean', about: 'leave the core to others, and send up to a millisecond late' },
    tool: { type: 'string', value: 'autocannon', about: 'saturate by a closed loop, in place of --load' },
    lines: { type: 'string', value: 'FILE', about: 'write each second as a line of JSON; - for standard output' },
    ...asOptions(NUMBERS),
    ...RECORD_OPTIONS,
  },
  async run(context) {
    const { positionals, values, out, err, signal } = context;
    const numbers = readNumbers(NUMBERS, values);
    const url = parseUrl(positionals[0]!);
    const schedule = scheduleOf(values);
    const assertFile = values['assert'] as string | undefined;
    const assertions = assertFile === undefined ? [] : readAssertions(readText(assertFile), assertFile);
    const requests = await requestsOf(context, url, numbers);
    await makeFiles(values, ['lines']);

    const seconds = schedule ? durationOf(schedule) : numbers.seconds;
    const compression = schedule ? numbers.compression : 1;
    const timeoutMs = numbers.timeout * 1_000;
    const startedAt = isoTime(systemClock.now());
    const lines = linesTo(values['lines'] as string | undefined, out);
    const live = showLive(err, { url, seconds, compression }, systemClock.now);
    const hooks: LoadHooks = { signal, onLook: live.onLook, onInterval: lines.write };
    const load = schedule
      ? await driveLoad(
          {
            url,
            requests,
            schedule,
            timeoutMs,
            compression,
            seed: numbers.seed,
            maxOutstanding: numbers.outstanding,
            coarse: values['coarse'] === true,
            ...defined({
              workers: numbers.workers,
              deadlineMs: numbers.deadline,
              requestsPerConnection: numbers.reconnect,
            }),
          },
          hooks,
        )
      : await saturate({ url, requests, connections: numbers.connections, seconds, timeoutMs }, hooks);
    live.end();
    await lines.end();

    const took = Math.min(seconds, load.intervals.length);
    const words = values['lines'] === '-' ? err : out;
    words.write(summaryOf(load, { seconds: took, compression, closed: !schedule }));
    const record = {
      ...recordOf(load, { url, values, requests, closed: !schedule }),
      startedAt,
      seconds: took,
      compression,
      verdicts: [],
    };
    const code = await concludeBench({ ...record, verdicts: judge(record, assertions) }, { values, out: words });
    if (signal.aborted) return INTERRUPTED;
    const { ok, wrong, failed } = load.total;
    if (assertions.length > 0) return code;
    return wrong > 0 || ok === 0 || (!schedule && failed > 0) ? 1 : 0;
  },
};

/** What only the open loop can be told, beside its schedule. */
const OPEN_ONLY = ['outstanding', 'deadline', 'workers', 'compression', 'reconnect', 'coarse'];
const CLOSED_ONLY = ['connections', 'seconds'];

/** Undefined where a closed loop goes by none. */
function scheduleOf(values: Context['values']): Schedule | undefined {
  const { load, tool } = values;
  if (tool === undefined) {
    refuseIdle(
      values,
      CLOSED_ONLY,
      'cannot be had of a load that follows a schedule: say it in --load, or give --tool autocannon.',
    );
    return parseSchedule((load as string | undefined) ?? DEFAULT_LOAD, readText);
  }
  if (tool !== 'autocannon') throw new KedgeError('config-invalid', `--tool takes autocannon, not '${String(tool)}'.`);
  if (load !== undefined) {
    throw new KedgeError(
      'config-invalid',
      'autocannon follows no schedule: give --connections and --seconds, or leave out --tool.',
    );
  }
  refuseIdle(values, OPEN_ONLY, 'cannot be had of autocannon: leave these out, or --tool.');
  return undefined;
}

function requestsOf(
  { values }: Context,
  url: string,
  { bodies, rows, seed, timeout }: { bodies: number; rows: number; seed: number; timeout: number },
): Promise<LoadRequest[]> {
  const path = values['path'] as string | undefined;
  const given = readByModel('body', wordsOf(values['body']), readFileSync, readBodies);
  if (path !== undefined && given.size === 0) throw new KedgeError('config-invalid', '--path needs a --body.');
  return requestsFor({
    url,
    targets: wordsOf(values['model']).map(parseTarget),
    bodies: given,
    wanted: readByModel('wanted', wordsOf(values['wanted']), readFileSync, readWanted),
    path,
    headers: Object.fromEntries(wordsOf(values['header']).map(parseHeader)),
    binary: values['binary'] === true,
    check: values['status-only'] === true ? 'status' : 'same',
    count: bodies,
    rows,
    seed,
    timeoutMs: timeout * 1_000,
  });
}

function recordOf(
  load: LoadRecord,
  facts: { url: string; values: Context['values']; requests: readonly LoadRequest[]; closed: boolean },
): Pick<RunRecord, 'schemaVersion' | 'kind' | 'title' | 'machine' | 'settings' | 'honesty' | 'load'> {
  const { url, values, requests, closed } = facts;
  const models = [...new Set(requests.map(({ model }) => model))];
  const shape = closed ? 'closed loop' : ((values['load'] as string | undefined) ?? DEFAULT_LOAD);
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

function linesTo(
  file: string | undefined,
  out: Context['out'],
): { write: (interval: LoadInterval) => void; end: () => Promise<void> } {
  if (file === undefined) return { write: () => undefined, end: () => Promise.resolve() };
  const stream = file === '-' ? out : createWriteStream(file);
  return {
    write: (interval) => void stream.write(`${JSON.stringify(interval)}\n`),
    end: async () => {
      if (stream === out) return;
      stream.end();
      await finished(stream);
    },
  };
}

function defined<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function wordsOf(value: Context['values'][string]): string[] {
  return Array.isArray(value) ? value : [];
}
