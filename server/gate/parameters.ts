import { show } from '../api/errors.ts';
import { invalid, isObject } from '../api/parse.ts';
import { HIGH, NORMAL, type Ticket } from './ticket.ts';

/**
 * What the `parameters` of an inference request say of its time and place in the queue, as Triton has them: `timeout` in microseconds (0: as if
 * absent), `priority` (1: before all others; anything else: as the others). The header `kedge-timeout-ms` and `timeout` together: the shorter counts.
 * @throws KedgeError `request-invalid`
 */
export function applyParameters(ticket: Ticket, parameters: unknown): void {
  if (!isObject(parameters)) return;
  const timeout = whole(parameters, 'timeout');
  if (timeout !== undefined && timeout > 0) {
    ticket.budgetMs = Math.min(ticket.budgetMs ?? Number.POSITIVE_INFINITY, timeout / 1_000);
  }
  ticket.priority = whole(parameters, 'priority') === 1 ? HIGH : NORMAL;
}

function whole(parameters: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = parameters[name];
  if (value === undefined || value === null) return undefined;
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number === 'number' && number >= 0 && Number.isInteger(number)) return number;
  throw invalid(`The parameter '${name}' must be a whole number from 0 up, not ${show(value)}.`);
}
