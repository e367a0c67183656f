import { choice, text } from './settings.ts';

/** Settings that mean the same to every program that has them. */
export const commonSettings = {
  volume: text('KEDGE_VOLUME', 'the folder that the loader fills and the server reads'),
  logLevel: choice('KEDGE_LOG_LEVEL', 'least level that is logged', ['debug', 'info', 'warn', 'error', 'silent'], {
    default: 'info',
  }),
};
