import type { CommandOption, Context } from '../command.ts';
import { RECORD_OPTIONS } from '../conclude-bench.ts';
import { asOptions } from '../number-option.ts';

type Values = Context['values'];

export const DEFAULT_LOAD = 'poisson:100/30s';

export const NUMBERS = {
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

export const OPTIONS: Record<string, CommandOption> = {
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
};

export function textIn(values: Values, name: string): string | undefined {
  return values[name] as string | undefined;
}

export function listIn(values: Values, name: string): readonly string[] {
  return (values[name] as string[] | undefined) ?? [];
}
