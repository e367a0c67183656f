import type { Registry } from 'prom-client';

/**
 * The metrics of the process itself: CPU, memory, garbage collection, delays of the loop. They count from the first time that they are asked for,
 * because importing and starting what counts them would delay the first answer of a new server.
 * @returns gives them as text
 */
export function processMetrics(): () => Promise<string> {
  let registry: Promise<Registry> | undefined;
  const start = async (): Promise<Registry> => {
    // By its default export: of a CommonJS package the bundle gives no other when it is imported late.
    const { collectDefaultMetrics, Registry } = (await import('prom-client')).default;
    const register = new Registry();
    collectDefaultMetrics({ register });
    return register;
  };
  return async () => {
    registry ??= start().catch((error: unknown) => {
      registry = undefined;
      throw error;
    });
    return (await registry).metrics();
  };
}
