import { isMainThread } from 'node:worker_threads';

/**
 * The program of a fit, started by fitInProcess alone. It has two threads: one fits, which holds it for as long as that takes, the
 * other sees that the process does not outlive its parent.
 */
if (isMainThread) {
  const { serveFit } = await import('./fit-child.ts');
  await serveFit();
} else {
  const { watchParent } = await import('./fit-child.ts');
  watchParent();
}
