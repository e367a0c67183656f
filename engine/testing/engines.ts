import { systemClock } from '../../platform/clock.ts';
import { silentLog } from '../../platform/log.ts';
import type { Engine } from '../engine.ts';
import { createHostEngine, type HostEngineOptions } from '../host-engine.ts';
import { createInlineEngine } from '../inline.ts';

export const hostOptions: HostEngineOptions = {
  memoryLimitBytes: 2 ** 30,
  loadTimeoutMs: 20_000,
  runTimeoutMs: 20_000,
  clock: systemClock,
  random: () => 0,
  log: silentLog,
};

/** Both engines, for the suites that hold them to the same. */
export const engines: [Engine['kind'], () => Engine][] = [
  ['inline', () => createInlineEngine()],
  ['host', () => createHostEngine(hostOptions)],
];
