import { HIGH, NORMAL, type Ticket } from '../gate/ticket.ts';
import { readWhole } from './parameters.ts';
import { isObject, type JsonObject } from './parse.ts';

/**
 * What the `parameters` of an inference request say of its time and place in the queue, as Triton has them: `timeout` in microseconds (0: as if
 * absent), `priority` (1: before all others; anything else: as the others). The header `kedge-timeout-ms` and `timeout` together: the shorter counts.
 * @throws KedgeError `request-invalid`
 */
export function applyParameters(ticket: Ticket, parameters: unknown): void {
  // Nearly every request says neither.
  if (!isObject(parameters) || (parameters['timeout'] === undefined && parameters['priority'] === undefined)) return;
  const given = bounded(parameters);
  const timeout = readWhole(given, 'timeout', 0);
  if (timeout !== undefined && timeout > 0) {
    ticket.budgetMs = Math.min(ticket.budgetMs ?? Number.POSITIVE_INFINITY, timeout / 1_000);
  }
  ticket.priority = readWhole(given, 'priority', 0) === 1 ? HIGH : NORMAL;
}

/** Longer numbers are read as bigints; beyond 2^53 the value no longer matters. */
function bounded({ timeout, priority }: JsonObject): JsonObject {
  const one = (value: unknown): unknown => (typeof value === 'bigint' && value > 0n ? Number.MAX_SAFE_INTEGER : value);
  return { timeout: one(timeout), priority: one(priority) };
}
