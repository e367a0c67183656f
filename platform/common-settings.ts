import { choice, mebibytes, optional, text } from './settings.ts';

/** Settings that mean the same to every program that has them. */
export const commonSettings = {
  volume: text('KEDGE_VOLUME', 'the folder that the loader fills and the server reads'),
  logLevel: choice('KEDGE_LOG_LEVEL', 'least level that is logged', ['debug', 'info', 'warn', 'error', 'silent'], {
    default: 'info',
  }),
  memoryBudgetBytes: optional(
    mebibytes(
      'KEDGE_MEMORY_BUDGET_MB',
      'most memory of versions, in MiB: of one for the loader, of all together for the server; never more than its cgroup leaves',
      { min: 1, max: 4_194_304 },
    ),
  ),
};
