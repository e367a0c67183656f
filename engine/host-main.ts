import { isMainThread } from 'node:worker_threads';

/**
 * The program of a host process, started by HostProcess alone. It has two threads: one serves calls, and as the runtime
 * holds it for as long as a run takes, the other watches that the process neither outlives its parent nor passes its memory limit.
 */
if (isMainThread) {
  const { serveHost } = await import('./host-server.ts');
  await serveHost();
} else {
  const { watchHost } = await import('./host-watch.ts');
  watchHost();
}
