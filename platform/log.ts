import { type Logger, type LoggerOptions, pino } from 'pino';

export type Log = Logger;

/** JSON lines on standard error: standard output belongs to what a command answers. Each is out when the call returns. */
export function createLog(program: string, level: string): Log {
  return pino(optionsOf(program, level), pino.destination({ fd: 2, sync: true }));
}

/** Of a pipe: a write of no more is never mixed with another's (POSIX `PIPE_BUF` is 4096 on Linux). */
const PIPE_BYTES = 4_096;
/** Lines that wait for whoever reads them. What comes beyond is dropped: a log is no reason to stand still, or to run out of memory. */
const MAX_WAITING_BYTES = 4 * 2 ** 20;

/**
 * The same for the many lines of requests: the caller goes on, and what came meanwhile is written together. To a pipe a line takes the caller some
 * microseconds so, instead of some fifty, and a reader that falls behind holds up nobody. `flush` waits until all are out; so does an
 * ordinary end of the process.
 * @param onDrop called for each line that is dropped
 */
export function createBufferedLog(program: string, onDrop: () => void = () => undefined): Log {
  const destination = pino.destination({ fd: 2, sync: false, maxWrite: PIPE_BYTES, maxLength: MAX_WAITING_BYTES });
  destination.on('drop', onDrop);
  return pino(optionsOf(program, 'info'), destination);
}

function optionsOf(program: string, level: string): LoggerOptions {
  return {
    level,
    base: { program },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    // As `err` is by itself: an Error has no keys of its own, and would be written as {}.
    serializers: { cause: pino.stdSerializers.err },
  };
}

export const silentLog: Log = pino({ level: 'silent' });
