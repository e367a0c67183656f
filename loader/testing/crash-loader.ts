/**
 * The loader as a program of its own that kills itself at a named step, as the kernel or an operator would. For the tests of
 * what a crash leaves behind. Arguments: bucket, volume, step.
 */
import { systemClock } from '../../platform/clock.ts';
import { createLog } from '../../platform/log.ts';
import { openStore } from '../../registry/open-store.ts';
import { runLoader } from '../main.ts';
import { configOf } from './stand.ts';

const [bucket, volume, step] = process.argv.slice(2) as [string, string, string];
await runLoader(
  configOf(volume, { KEDGE_KEEP: '1', KEDGE_KEEP_SECONDS: '0' }),
  { once: false, signal: new AbortController().signal },
  {
    clock: systemClock,
    store: openStore(bucket),
    log: createLog('loader', 'warn'),
    onStep: (at) => {
      if (at === step) process.kill(process.pid, 'SIGKILL');
    },
  },
);
