import { pino } from 'pino';
import { expect, it } from 'vitest';
import { type ErrorCode, KedgeError } from '../../contract/errors.ts';
import { errorResponse } from './errors.ts';

it.each<[ErrorCode, number, number]>([
  ['request-invalid', 400, 0],
  ['encoding-unsupported', 501, 0],
  ['model-not-ready', 503, 0],
  ['engine-failed', 500, 1],
])('%s is answered with %d and logged %d times', (code, status, times) => {
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  expect(errorResponse(new KedgeError(code, 'A sentence.'), log).status).toBe(status);
  expect(lines).toHaveLength(times);
});
