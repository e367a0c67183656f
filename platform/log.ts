import { type Logger, pino } from 'pino';

export type Log = Logger;

/** JSON lines on standard error: standard output belongs to what a command answers. */
export function createLog(program: string, level: string): Log {
  return pino(
    {
      level,
      base: { program },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd: 2, sync: true }),
  );
}

export const silentLog: Log = pino({ level: 'silent' });
