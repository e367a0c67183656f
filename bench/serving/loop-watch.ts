import { monitorEventLoopDelay } from 'node:perf_hooks';

/**
 * Loaded before a server by --import: watches the event loop from within, and tells over the channel how long it stood still at most since it was last
 * asked, in milliseconds.
 */
const RESOLUTION_MS = 1;

if (process.send) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  process.on('message', () => {
    // Each value is the time between two firings of a timer.
    process.send!({ longestMs: Math.max(0, delays.max / 1e6 - RESOLUTION_MS) });
    delays.reset();
  });
  process.channel!.unref();
}
