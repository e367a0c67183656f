import type { IncomingMessage } from 'node:http';
import { KedgeError } from '../../contract/errors.ts';
import { allows, findToken, type Need, type TokenEntry } from './tokens.ts';

/** What of a request tells who sends it. */
export type Sender = Pick<IncomingMessage, 'headers'> & { socket: { remoteAddress?: string | undefined } };

/**
 * Whether a request may have what it needs; undefined if so. Without any token predictions are open, and changes are for this machine alone:
 * neither through a proxy nor from a page in a browser, both of which can reach a loopback address for somebody else.
 * @param tokens undefined where none are configured; an empty list lets nobody in
 */
export function judgeAccess(
  { headers, socket }: Sender,
  need: Need,
  tokens: readonly TokenEntry[] | undefined,
): KedgeError | undefined {
  if (tokens === undefined) {
    if (need.scope === 'predict') return undefined;
    const relayed = ['x-forwarded-for', 'forwarded', 'origin'].some((name) => headers[name] !== undefined);
    if (isLoopback(socket.remoteAddress) && !relayed) return undefined;
    return new KedgeError(
      'forbidden',
      'Without tokens this is for programs on the same machine alone: set KEDGE_TOKENS_FILE (kedge token makes one).',
    );
  }
  const [, token] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
  if (token === undefined) {
    return new KedgeError('unauthenticated', 'This takes a token: send the header Authorization: Bearer TOKEN.');
  }
  const entry = findToken(tokens, token);
  if (!entry) return new KedgeError('unauthenticated', 'The token is not one that this server knows.');
  if (allows(entry, need)) return undefined;
  const wanted = need.scope === 'admin' ? 'admin' : `predict or predict:${need.model}`;
  return new KedgeError('forbidden', `The token lacks the scope ${wanted}.`);
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:::ffff:)?127\.|^::1$/.test(address);
}

/**
 * What a route needs, by its method and pattern and not by the address that was sent, so that no spelling of an address goes around it.
 * Undefined: open to everybody, as everything is that only reads. What is not known here needs `admin`.
 */
export function needOfRoute(method: string, pattern: string): 'predict' | 'admin' | undefined {
  if (method === 'GET' || pattern === '/v2/repository/index') return undefined;
  return /^\/v[12]\/models\/:/.test(pattern) ? 'predict' : 'admin';
}
